// Exit guard: sees to it that a process which ends in the middle of a write does end.
//
// A write transaction is begun by a thread of lmdb, which then waits until the event loop runs the
// operations. A process that ends in between (`process.exit()`, an error that nobody catches) runs
// no event loop any more, but waits for its threads: it would hang for ever, and hold the write lock
// of the file. Nothing of such a transaction has been acknowledged, or even carried out, so the
// process can be ended at once; the lock is one that the system releases.
//
// A worker thread that ends is taken care of by Node, which runs what the thread of lmdb waits for,
// and the process is not the thread's to end. While that one still waits for a process that is stopped,
// the worker's end waits with it, and so does the end of the process: nothing is known of it here.
//
// Where Node can (`process.execve`, from 22.15), the process is replaced by one that ends with the
// exit code it would have had. Node 20 cannot: there the process ends by SIGKILL.

import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { isMainThread } from "node:worker_threads";

interface Pending {
  /** Whether a transaction waits for the event loop. */
  readonly isWaiting: boolean;
}

type Execve = (file: string, args: readonly string[], env?: NodeJS.ProcessEnv) => never;
type Exit = (code?: number) => never;

const watched = new Set<Pending>();
let uncaught: { readonly error: unknown } | undefined;

function endNow(code: number): void {
  const { execve } = process as { execve?: Execve };
  try {
    execve?.("/bin/sh", ["sh", "-c", `exit ${code & 0xff}`], {});
  } catch {
    // No shell here.
  }
  process.kill(process.pid, "SIGKILL");
}

function onExit(code: number): void {
  if (![...watched].some(({ isWaiting }) => isWaiting)) return;
  if (uncaught !== undefined) {
    // Node itself would tell it after this.
    writeSync(process.stderr.fd, `Uncaught ${inspect(uncaught.error)}\n`);
    endNow(code);
  }
  // Other listeners have their turn first: this is what `process.exit()` calls at last.
  const target = process as unknown as { reallyExit: Exit };
  const { reallyExit } = target;
  target.reallyExit = (last = code) => {
    endNow(last);
    return reallyExit.call(process, last);
  };
}

function onUncaught(error: unknown): void {
  uncaught = { error };
}

/** Watches until the function that it gives is called. */
export function guardExit(pending: Pending): () => void {
  if (!isMainThread) return () => {};
  if (watched.size === 0) {
    process.on("exit", onExit);
    process.on("uncaughtExceptionMonitor", onUncaught);
  }
  watched.add(pending);
  return () => {
    watched.delete(pending);
    if (watched.size > 0) return;
    process.off("exit", onExit);
    process.off("uncaughtExceptionMonitor", onUncaught);
  };
}
