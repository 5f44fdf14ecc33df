// Terminal: what a command may do besides its work. Tests hand in one that remembers.

import { createInterface } from "node:readline";
import type { Env } from "../env/env.js";
import { exitCodes } from "./exit-codes.js";

export interface Terminal {
  readonly env: Env;
  /** Results. */
  out(text: string | Uint8Array): void;
  /** Resolves when what was given to `out` has been taken; false when nobody reads any more. */
  flushed(): Promise<boolean>;
  /** All of the standard input, up to its end or to so many bytes and one more. */
  input(bytesMax: number): Promise<Uint8Array>;
  /** Everything else. */
  error(text: string): void;
  /** Shows what a long command is at, on one line that the next one replaces; undefined ends it. */
  progress(line: string | undefined): void;
  /** Asks a yes-or-no question; undefined when there is nobody to ask. */
  confirm(question: string): Promise<boolean> | undefined;
  /** From now on, SIGINT and SIGTERM abort this signal; a second one ends the process with 130. */
  interruption(): AbortSignal;
}

const endingSignals = ["SIGINT", "SIGTERM"] as const;
const eraseLine = "\r\u001b[K";

export function processTerminal(env: Env): Terminal {
  const { stdin, stdout, stderr } = process;
  let isRead = true;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever reads the output may have seen enough, as `head` has.
    isRead = false;
    if (error.code === "EPIPE") return;
    stderr.write(`anykv: the output cannot be written: ${error.message}\n`);
    process.exitCode = exitCodes.unavailable;
    process.exit();
  });
  return {
    env,
    out: (text) => void stdout.write(text),
    flushed: async () => {
      // Called back in the order of the writes, also of one that failed.
      await new Promise<void>((resolve) => stdout.write("", () => resolve()));
      return isRead;
    },
    input: readInput,
    error: (text) => void stderr.write(text),
    progress: (line) => {
      if (!stderr.isTTY) return;
      // Some terminals do not tell their width, or tell 0.
      const width = (stderr.columns || 80) - 1;
      stderr.write(line === undefined ? eraseLine : eraseLine + line.slice(0, width));
    },
    confirm: (question) => (stdin.isTTY && stderr.isTTY ? ask(question) : undefined),
    interruption: awaitSignals,
  };
}

async function readInput(bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax + 1);
}

function awaitSignals(): AbortSignal {
  const controller = new AbortController();
  const end = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort(new Error(name));
      return;
    }
    process.stderr.write(`anykv: ended by a second ${name}, before it was done\n`);
    process.exit(exitCodes.interrupted);
  };
  for (const each of endingSignals) process.on(each, end);
  return controller.signal;
}

/** The end of the input is a no. */
function ask(question: string): Promise<boolean> {
  const input = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    input.on("close", () => resolve(false));
    input.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      input.close();
    });
  });
}
