// The examples of the documents are strict TypeScript as well: a reader of either language copies them.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = ["README.md", "docs/api.md", "docs/server.md"];

const configuration = {
  extends: join(root, "tsconfig.json"),
  compilerOptions: {
    // An example need not use all that it shows.
    noUnusedLocals: false,
    typeRoots: [join(root, "node_modules/@types")],
    paths: {
      anykv: [join(root, "src/index.ts")],
      "anykv/server": [join(root, "src/server/index.ts")],
    },
  },
  include: ["*.mts"],
};

function writeExamples(directory: string): number {
  let count = 0;
  for (const page of pages) {
    const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```(?:js|ts)\n(.*?)^```/gms);
    for (const [, block = ""] of blocks) {
      // Blocks without an import go on from the one that everybody has seen.
      const head = /^import /m.test(block) ? "" : 'import { openKv } from "anykv";\n';
      const name = `${page.replaceAll(/\W/g, "-")}-${++count}.mts`;
      writeFileSync(join(directory, name), `${head}${block}export {};\n`);
    }
  }
  return count;
}

test("the examples of README, API and server compile", { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "anykv-typed-docs-"));
  try {
    expect(writeExamples(directory)).toBeGreaterThan(20);
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(configuration));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const run = promisify(execFile)(process.execPath, [tsc, "-p", directory], { cwd: directory });
    const output = await run.then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(output).toBe("");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
