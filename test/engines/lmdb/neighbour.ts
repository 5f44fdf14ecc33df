// Neighbour: another process with the same store, which does what it is told (programs/neighbour.ts).

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CompiledPackage } from "../../processes/compiled-package.js";

/** A process that has the store of a path open; killed at the end of the test. */
export class Neighbour {
  readonly child: ChildProcess;
  readonly #pending = new Map<number, (line: { value?: unknown; error?: string }) => void>();
  #calls = 0;

  /** `path` is the name of a shared store. */
  constructor(
    { directory }: CompiledPackage,
    path: string,
    options: object = {},
    backend: "disk" | "shared" = "disk",
  ) {
    const program = join(directory, "test/engines/lmdb/programs/neighbour.js");
    const args = [program, path, JSON.stringify(options), backend];
    this.child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (text) => {
      const line = JSON.parse(text) as { id: number; value?: unknown; error?: string };
      this.#pending.get(line.id)?.(line);
    });
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    this.child.stdin?.write(`${JSON.stringify({ id, method, args })}\n`);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
    });
  }

  /** Stops in the middle of a write; resolves when it has. */
  async stop(): Promise<{ written: Promise<unknown> }> {
    await this.call("exists", "open");
    const written = this.call("stop");
    written.catch(() => {});
    await stopped(this.child);
    return { written };
  }

  goOn(): void {
    this.child.kill("SIGCONT");
  }
}

/** Resolves when a process has been stopped, on Linux. */
export async function stopped({ pid }: ChildProcess): Promise<void> {
  while (!/\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) await turn();
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
