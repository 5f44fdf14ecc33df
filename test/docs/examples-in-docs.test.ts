// The examples of the documents run, and where a line ends in `// => value` it has that value.

import { readFileSync } from "node:fs";
import * as anykv from "anykv";
import * as testing from "anykv/testing";
import { describe, expect, test } from "vitest";

const pages = ["README.md", "docs/api.md", "docs/observability.md", "docs/testing.md"];

const modules = { anykv, "anykv/testing": testing };
type Check = (actual: unknown, expected: unknown) => void;
type Run = (imported: typeof modules, check: Check) => unknown;
const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => Run;

function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```js\n(.*?)^```/gms)].map((match) => match[1] ?? "");
}

/** Imports become destructuring; `expression; // => value` becomes a check. */
function compile(example: string): Run {
  const body = example
    .replace(/^import (\{.*\}) from ("anykv.*");$/gm, "const $1 = imported[$2];")
    .replace(/^( *)(?!const |let )(.+); \/\/ => (.+)$/gm, "$1check($2, $3);");
  return new AsyncFunction("imported", "check", body);
}

for (const page of pages) {
  describe(page, () => {
    const examples = examplesOf(page);
    test.each(examples.map((example, index) => [index + 1, example] as const))(
      "example %i does what it says",
      async (_number, example) => {
        let checks = 0;
        await compile(example)(modules, (actual, expected) => {
          checks++;
          expect(actual).toEqual(expected);
        });
        expect(checks).toBe((example.match(/\/\/ => /g) ?? []).length);
      },
    );
    test("has examples", () => expect(examples.length).toBeGreaterThan(0));
  });
}
