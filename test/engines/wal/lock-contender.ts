// Lock contender: a process of its own that takes the lock of a directory when it is told to.
//
// One line in, one line out: `take <path> <moment>` spins until the moment (Unix milliseconds), so
// that several contenders come at once, and answers `won`, or `refused` and the error; `free` lets go
// and answers `freed`.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CompiledPackage } from "../../processes/compiled-package.js";

const source = `
import { createInterface } from "node:readline";
import { DirectoryLock } from "./dist/engines/wal/directory-lock.js";
import { nodeEnv } from "./dist/env/env.js";
let lock;
for await (const line of createInterface({ input: process.stdin })) {
  const [command, path, moment] = line.split(" ");
  let answer;
  if (command === "free") {
    await lock?.release();
    lock = undefined;
    answer = { freed: true };
  } else {
    while (performance.timeOrigin + performance.now() < Number(moment));
    try {
      lock = await DirectoryLock.acquire(nodeEnv, path);
      answer = { won: true };
    } catch ({ name, message }) {
      answer = { won: false, name, message };
    }
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
}
`;

export interface Answer {
  readonly won?: boolean;
  readonly name?: string;
  readonly message?: string;
}

export class Contender {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(compiled: CompiledPackage) {
    const script = compiled.script("contender.mjs", source);
    this.#process = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    const input = this.#process.stdout;
    if (input === null) throw new Error("the contender has no output");
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  take(path: string, moment = 0): Promise<Answer> {
    return this.#ask(`take ${path} ${moment}`);
  }

  async free(): Promise<void> {
    await this.#ask("free");
  }

  /** kill -9; resolves when nobody can find the process alive any more. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.on("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }

  async #ask(line: string): Promise<Answer> {
    this.#process.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the contender has ended");
    return JSON.parse(value) as Answer;
  }
}
