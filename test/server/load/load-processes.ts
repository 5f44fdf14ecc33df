// The processes of a load: a server, and clients of it, each told by messages what to do.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { CompiledPackage } from "../../processes/compiled-package.js";
import type { ClientsWork, Order, Report } from "./programs/load-clients.js";
import type { Memory, ServerWork } from "./programs/load-server.js";

/** The folder of the programs, for `compilePackage`. */
export const programs = "test/server/load/programs";

class Process {
  readonly #child: ChildProcess;
  readonly #name: string;
  #errors = "";

  constructor(compiled: CompiledPackage, name: string, work: object) {
    this.#name = name;
    const program = join(compiled.directory, programs, `${name}.js`);
    this.#child = fork(program, [JSON.stringify(work)], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.#errors += chunk;
    });
  }

  /** The next message of the process, after it has been sent this one. */
  async next<Answer>(message?: string | object): Promise<Answer> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void => {
        reject(new Error(`${this.#name} has ended with ${code ?? signal}: ${this.#errors}`));
      };
      child.once("exit", onExit);
      child.once("message", (answer) => {
        child.off("exit", onExit);
        resolve(answer as Answer);
      });
      if (message !== undefined) child.send(message);
    });
  }

  /** Resolves with the code when the process has ended. */
  async end(message: string | object): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once("exit", resolve));
    this.#child.send(message);
    return ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

export interface Measured extends Memory {
  /** That the process has worked so far. */
  readonly cpuSeconds: number;
}

export class ServerProcess {
  readonly #process: Process;

  constructor(compiled: CompiledPackage, work: ServerWork) {
    this.#process = new Process(compiled, "load-server", work);
  }

  /** The port on which it listens. */
  async opened(): Promise<number> {
    return (await this.#process.next<{ port: number }>()).port;
  }

  /** When it is at rest; at a glance whenever it is, with garbage and all. */
  async measure(how: "memory" | "glance" = "memory"): Promise<Measured> {
    type Answer = { memory: Memory; cpu: NodeJS.CpuUsage };
    const { memory, cpu } = await this.#process.next<Answer>(how);
    return { ...memory, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
  }

  /** The code with which it ends. */
  close(): Promise<number | null> {
    return this.#process.end("close");
  }

  kill(): void {
    this.#process.kill();
  }
}

export class ClientsProcess {
  readonly #process: Process;

  constructor(compiled: CompiledPackage, work: ClientsWork) {
    this.#process = new Process(compiled, "load-clients", work);
  }

  order(order: Order): Promise<Report> {
    return this.#process.next(order);
  }

  kill(): void {
    this.#process.kill();
  }
}
