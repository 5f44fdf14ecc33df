// Runs a command in this process, on the real file system, and tells what it has said.

import { runCli } from "../../src/cli/program.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { nodeEnv } from "../../src/env/env.js";

export interface CommandRun {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly questions: readonly string[];
}

export interface Somebody {
  /** What is said to a question; left out: nobody is there. */
  readonly answer?: boolean;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export async function runCommand(
  args: readonly string[],
  { answer, input = "", signal }: Somebody = {},
): Promise<CommandRun> {
  const said = { out: [] as Buffer[], error: "", questions: [] as string[] };
  const terminal: Terminal = {
    env: nodeEnv,
    out: (text) => void said.out.push(Buffer.from(text)),
    flushed: () => Promise.resolve(true),
    input: () => Promise.resolve(Buffer.from(input)),
    error: (text) => {
      said.error += text;
    },
    progress: () => {},
    confirm: (question) => {
      said.questions.push(question);
      return answer === undefined ? undefined : Promise.resolve(answer);
    },
    interruption: () => signal ?? new AbortController().signal,
  };
  const code = await runCli(args, terminal);
  const { error, questions } = said;
  return { code, out: Buffer.concat(said.out).toString("latin1"), error, questions };
}
