// Probe: a process that opens, verifies and repairs files which might end it, and tells how it went.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import type { CompiledPackage } from "../../processes/compiled-package.js";

export interface Request {
  readonly path: string;
  /** What is done with the file; "write" puts 2,000 rows of 100 bytes, "read" reads everything. */
  readonly action: "read" | "write" | "verify" | "repair";
  readonly disk?: { readonly readOnly?: boolean; readonly truncate?: boolean };
  /** Who the process is from now on. */
  readonly userId?: number;
}

export interface Answer {
  /** The error's, "none" when there was none, and the signal that ended the process. */
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
  /** What was read, or the report. */
  readonly result?: unknown;
}

const source = `
import { createInterface } from "node:readline";
import "lmdb";
import { openKv } from "./dist/index.js";
import "./dist/engines/lmdb/open-lmdb.js";
import { repairLmdb } from "./dist/engines/lmdb/repair.js";
import { verifyLmdb } from "./dist/engines/lmdb/verify.js";
import { nodeEnv } from "./dist/env/env.js";
import { checkRows as check } from "./dist/operations/check.js";
import { mendRows as mend } from "./dist/operations/mend.js";
let names = 0;
async function useStore(path, disk, use) {
  const kv = openKv({ name: "probe-" + ++names, backend: "disk", path, disk });
  try {
    return await use(kv);
  } finally {
    await kv.close();
  }
}
const actions = {
  read: ({ path, disk }) => useStore(path, disk, async (kv) => {
    const values = await kv.list();
    const arrays = [];
    for (const key of await kv.listArrays()) arrays.push([key, await kv.range(key)]);
    const random = await kv.randomKeys({ count: 20 });
    return { values, arrays, count: await kv.count({ prefix: "key:" }), random };
  }),
  write: ({ path, disk }) => useStore(path, disk, async (kv) => {
    for (let row = 0; row < 2000; row += 100) {
      const calls = [];
      for (let call = row; call < row + 100; call++) calls.push(kv.set("new:" + call, "x".repeat(100)));
      await Promise.all(calls);
    }
    return await kv.size();
  }),
  verify: ({ path }) => verifyLmdb(nodeEnv, path, { check }),
  repair: ({ path }) => repairLmdb(nodeEnv, path, { check, mend }),
};
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    if (request.userId !== undefined) {
      process.setgid(request.userId);
      process.setuid(request.userId);
    }
    answer = { name: "none", message: "", result: await actions[request.action](request) };
  } catch (error) {
    const { name, message, hint } = error;
    answer = { name, message, hint };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
}
`;

export class Probe {
  readonly #script: string;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;
  /** When the last process has gone. */
  ended: Promise<unknown> = Promise.resolve();

  constructor({ script, directory }: CompiledPackage) {
    // Another user imports from it, too.
    chmodSync(directory, 0o755);
    this.#script = script("probe.mjs", source);
  }

  ask(request: Request): Promise<Answer> {
    const child = this.#running();
    const lines = this.#lines as Interface;
    return new Promise((resolve) => {
      const ended = (code: number | null, signal: string | null): void => {
        lines.off("line", answered);
        this.#child = undefined;
        resolve({ name: signal ?? `exit ${code}`, message: "" });
      };
      const answered = (line: string): void => {
        child.off("exit", ended);
        // Whoever has become somebody else does not come back.
        if (request.userId !== undefined) this.end();
        resolve(JSON.parse(line) as Answer);
      };
      child.once("exit", ended);
      lines.once("line", answered);
      child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = spawn(process.execPath, [this.#script], { stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    this.#lines = createInterface({ input: child.stdout });
    return child;
  }

  end(): void {
    this.#child?.stdin?.end();
    this.#child = undefined;
  }
}
