// Runs a script against the real environment in a process of its own, for what cannot be seen from
// inside: whether a process ends by itself, and what happens at a limit of the whole process.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

const sources = fileURLToPath(new URL("../../src/env", import.meta.url));
/** A process that should have ended by itself is killed then; its exit code is null. */
const killAfterMs = 20_000;

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

async function compileInto(directory: string, script: string): Promise<void> {
  for (const name of await readdir(sources)) {
    const source = await readFile(join(sources, name), "utf8");
    const { code } = await transformWithOxc(source, name);
    await writeFile(join(directory, name.replace(/\.ts$/, ".js")), code);
  }
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  const imports = 'import { nodeEnv } from "./env.js";\n';
  await writeFile(join(directory, "script.js"), imports + script);
}

function run(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, timeout: killAfterMs, killSignal: "SIGKILL" });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** `script` is JavaScript and sees `nodeEnv`; `fileBlocksMax` bounds its files (512 bytes each). */
export async function runWithNodeEnv(script: string, fileBlocksMax?: number): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), "anykv-env-"));
  try {
    await compileInto(directory, script);
    const path = join(directory, "script.js");
    if (fileBlocksMax === undefined) return await run(process.execPath, [path], directory);
    const limited = `ulimit -f ${fileBlocksMax} && exec "$0" "$1"`;
    return await run("/bin/sh", ["-c", limited, process.execPath, path], directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
