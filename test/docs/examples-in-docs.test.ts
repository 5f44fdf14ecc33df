// The examples of the documents run, each page's in a directory of its own, and where a line ends in
// `// => value` it has that value. Files in YAML are read, and lie there under the name in their
// first line, so that examples can open them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as anykv from "anykv";
import * as server from "anykv/server";
import * as testing from "anykv/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const pages = ["README.md", ...["api", "observability", "server", "testing"].map(pageOf)];

function pageOf(name: string): string {
  return `docs/${name}.md`;
}

const modules: Record<string, unknown> = {
  anykv,
  "anykv/server": server,
  "anykv/testing": testing,
};
type Check = (actual: unknown, expected: unknown) => void;
type Run = (imported: typeof modules, check: Check) => unknown;
const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => Run;

function blocksOf(page: string, language: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"));
  return [...blocks].map((match) => match[1] ?? "");
}

const importLine = /^import (\{.*\}) from ("(?:anykv|node:).*");$/gm;

/** Imports become destructuring; `expression; // => value` becomes a check. */
function compile(example: string): Run {
  const body = example
    .replace(importLine, "const $1 = imported[$2];")
    .replace(/^( *)(?!const |let )(.+); \/\/ => (.+)$/gm, "$1check($2, $3);");
  return new AsyncFunction("imported", "check", body);
}

async function modulesOf(example: string): Promise<typeof modules> {
  const imported = { ...modules };
  for (const [, , quoted = ""] of example.matchAll(importLine)) {
    const name = quoted.slice(1, -1);
    if (name.startsWith("node:")) imported[name] = await import(name);
  }
  return imported;
}

for (const page of pages) {
  describe(page, () => {
    const examples = blocksOf(page, "js");
    const documents = blocksOf(page, "yaml");
    const home = process.cwd();
    let directory: string;

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), "anykv-docs-"));
      process.chdir(directory);
      for (const text of documents) {
        const [, name] = /^# (\S+\.yml)$/m.exec(text) ?? [];
        if (name !== undefined) writeFileSync(name, text);
      }
    });

    afterAll(() => {
      process.chdir(home);
      rmSync(directory, { recursive: true });
    });

    test.each(examples.map((example, index) => [index + 1, example] as const))(
      "example %i does what it says",
      async (_number, example) => {
        let checks = 0;
        await compile(example)(await modulesOf(example), (actual, expected) => {
          checks++;
          expect(actual).toEqual(expected);
        });
        expect(checks).toBe((example.match(/\/\/ => /g) ?? []).length);
      },
    );

    test.runIf(documents.length > 0)("its configurations are in order", async () => {
      for (const text of documents) expect(await anykv.parseConfig(text)).not.toEqual([]);
    });

    test("has examples", () => expect(examples.length).toBeGreaterThan(0));
  });
}
