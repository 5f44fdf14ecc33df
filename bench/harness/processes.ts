// Processes: every workload, and every measurement of a whole heap, gets a process of its own, with
// a fresh compiler state and nothing of others on its heap.

import { fork } from "node:child_process";
import { WrongAnswerError } from "./answers.js";

/** What a child answers, once. */
export type Reply<Result> =
  | { readonly result: Result }
  | { readonly error: { readonly name: string; readonly text: string } };

/** Runs a module of the build with garbage collection exposed; resolves with what it answers. */
export function runInProcess<Result>(
  module: URL,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Result> {
  const execArgv = ["--expose-gc", ...flags];
  const child = fork(module, args, { execArgv, serialization: "advanced" });
  return new Promise((resolve, reject) => {
    let reply: Reply<Result> | undefined;
    child.on("message", (message) => {
      reply = message as Reply<Result>;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (reply === undefined) reject(new Error(`the process ended with ${signal ?? code}`));
      else if ("result" in reply) resolve(reply.result);
      else reject(errorOf(reply.error));
    });
  });
}

function errorOf({ name, text }: { name: string; text: string }): Error {
  return name === "WrongAnswerError" ? new WrongAnswerError(text) : new Error(text);
}

/** The child's side: sends what `work` gives, or prints it when nobody listens. */
export async function answer<Result>(work: () => Promise<Result>): Promise<void> {
  let reply: Reply<Result>;
  try {
    reply = { result: await work() };
  } catch (error) {
    const { name, stack, message } = error as Error;
    const text = name === "WrongAnswerError" ? message : (stack ?? message);
    reply = { error: { name, text } };
    process.exitCode = 1;
  }
  if (process.send === undefined) console.dir(reply, { depth: null });
  else process.send(reply, () => process.disconnect());
}
