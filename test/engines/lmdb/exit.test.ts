// Processes that end in the middle of writes end, and let go of the file.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const directory = mkdtempSync(join(tmpdir(), "anykv-exit-"));
let compiled: CompiledPackage;
let script = "";

beforeAll(async () => {
  compiled = await compilePackage();
  script = compiled.script(
    "exit.mjs",
    `import { openKv } from "anykv";
     const [path, how] = process.argv.slice(2);
     const kv = openKv({ path });
     await kv.size();
     const write = async (key) => { for (;;) await kv.set(key, 1); };
     for (const key of ["a", "b", "c", "d"]) write(key);
     setTimeout(() => {
       if (how === "throw") throw new Error("nobody catches this");
       process.exit(7);
     }, 50 + Math.random() * 20);`,
  );
});

afterAll(() => {
  compiled.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function run(how: string): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [script, join(directory, how), how]);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += String(text);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, errors };
}

// Where Node cannot be replaced by another program the process may have to kill itself.
const orKilled = "execve" in process ? [] : [null];

test("process.exit() ends the process, whatever is being written", async () => {
  for (let round = 0; round < 6; round++) {
    expect([7, ...orKilled]).toContain((await run("exit")).code);
  }
  const kv = openKv({ name: "after exit", path: join(directory, "exit") });
  expect(await kv.incrementBy("written after it", 1)).toBe(1);
  await kv.close();
});

test("an error that nobody catches ends the process, and is told", async () => {
  for (let round = 0; round < 6; round++) {
    const { code, errors } = await run("throw");
    expect([1, ...orKilled]).toContain(code);
    expect(errors).toContain("nobody catches this");
  }
});
