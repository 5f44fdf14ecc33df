// Runs a compiled example in a process group of its own, which can be killed as a whole.

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { CompiledPackage } from "../processes/compiled-package.js";

export interface ProgramRun {
  /** null when it was killed. */
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramOptions {
  /** A module that every process of the program loads first. */
  readonly preload?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the whole output so far whenever there is more of it. */
  readonly onOutput?: (output: string, pid: number) => void;
}

export function runProgram(
  compiled: CompiledPackage,
  args: readonly string[],
  { preload, env = {}, onOutput = () => {} }: ProgramOptions = {},
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const preloads = preload === undefined ? [] : ["--import", preload];
    const child = spawn(process.execPath, [...preloads, ...args], {
      cwd: compiled.directory,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { output: "", errors: "" };
    const collect = (stream: Readable, name: keyof typeof texts): void => {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        texts[name] += chunk;
        if (name === "output") onOutput(texts.output, child.pid ?? 0);
      });
    };
    collect(child.stdout, "output");
    collect(child.stderr, "errors");
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, ...texts }));
  });
}

/** Whether a process is there, and not merely its entry that nobody has collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return true;
}

/** The number that the table of the main job has in a row. */
export function numberIn(output: string, name: string): number {
  const [, text = ""] = new RegExp(`^  ${name} +([\\d,]+)`, "m").exec(output) ?? [];
  return Number(text.replaceAll(",", "") || Number.NaN);
}
