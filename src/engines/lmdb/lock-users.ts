// Users of a file, as far as its lock file tells: whoever has read from it has a slot there, with
// the number of its process.
//
// The lock file is LMDB's own and differs between systems. Its first 8 bytes say which form it has;
// the one that is understood here is that of Linux with glibc on 64-bit x86.
//
// It is read by a process of its own. This one must not even open it: when a process closes a file,
// it loses the locks that its other threads have on it (POSIX), and the next process to open the
// store would take it for one that nobody uses, and make its locks and its list of readers anew.

import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { lockPathOf } from "./lock-file.js";
import { isOpen } from "./open-file.js";
import { realPathOf } from "./real-path.js";

const knownForm = Buffer.from("dec0efbe02602f2c", "hex");
const slotsOffset = 208;
const slotBytes = 64;
const processOffset = 8;
// Far above what the readers need that LMDB can be told to make room for.
const bytesMax = 64 * 1_024 * 1_024;

/**
 * The running processes that have a file open, this one perhaps among them; undefined when nobody
 * can tell.
 * @throws DiskStoreOpenError when the lock file cannot be read
 */
export async function usersOf(env: Env, path: string): Promise<number[] | undefined> {
  const lock = lockPathOf(await realPathOf(path));
  if ((await env.files.stat(lock)) === undefined) return [];
  const bytes = await readElsewhere(lock);
  if (bytes.length === 0) return [];
  if (!bytes.subarray(0, knownForm.length).equals(knownForm)) return undefined;
  const users: number[] = [];
  for (let at = slotsOffset; at + slotBytes <= bytes.length; at += slotBytes) {
    const id = bytes.readUInt32LE(at + processOffset);
    if (id !== 0 && env.processes.isRunning(id)) users.push(id);
  }
  return users;
}

const script = "process.stdout.write(require('node:fs').readFileSync(process.argv[1]))";

/** The content of a file, read by a child process that then ends: some 40 ms. */
function readElsewhere(path: string): Promise<Buffer> {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  // A program with Node in it runs as Node.
  const env = { ...environment, ELECTRON_RUN_AS_NODE: "1" };
  const options = {
    cwd: dirname(path),
    env,
    encoding: "buffer",
    maxBuffer: bytesMax,
    windowsHide: true,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ["-e", script, path], options, (cause, bytes) => {
      if (cause === null) resolve(bytes);
      else reject(new DiskStoreOpenError(`${path} cannot be read: ${cause.message}`, { cause }));
    });
  });
}

/**
 * Refuses a file that other processes have open.
 * @throws DiskStoreOpenError when a running process is among the users, or nobody can tell
 */
export async function requireUnused(env: Env, path: string): Promise<void> {
  const lock = lockPathOf(await realPathOf(path));
  if (await isOpen(path)) {
    throw new DiskStoreOpenError(`${path} is in use by this process`, {
      hint: "close the store first",
    });
  }
  const users = await usersOf(env, path);
  const hint = `close the store there; when nobody has it open, remove ${lock} and repeat this`;
  if (users === undefined) {
    throw new DiskStoreOpenError(`nobody can tell from ${lock} who has the store open`, { hint });
  }
  const [user] = users;
  if (user === undefined) return;
  throw new DiskStoreOpenError(`${path} is in use by process ${user}`, { hint });
}
