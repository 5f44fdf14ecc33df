// The program in processes of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { CompiledPackage } from "../processes/compiled-package.js";

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly error: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** The first line of its output; rejects when it ends without one. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<Ended>;
}

export function startProgram(
  { directory }: CompiledPackage,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  const child = spawn(process.execPath, [join(directory, "dist/cli/main.js"), ...args], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", error: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.error += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...said }));
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.out += text;
      if (said.out.includes("\n")) resolve(said.out.slice(0, said.out.indexOf("\n")));
    });
    ended.then(({ error }) => reject(new Error(`it ended: ${error}`)), reject);
  });
  // Who waits for the end alone does not ask for it.
  firstLine.catch(() => {});
  return { child, firstLine, ended };
}
