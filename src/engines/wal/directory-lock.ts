// Directory lock: one process at a time has a directory open.
//
// The file LOCK is a list of lines, each one contender (id, pid, started, host, namespace) or the
// withdrawal of one (withdrawn: id). Lines are appended, so all contenders agree on their order, and
// the first one that is alive and has not withdrawn is the owner. A killed process holds nothing,
// because nobody finds it alive: a stale lock needs no reclaiming, and of two processes that find it
// at once the one whose line comes first wins. Each line begins with its checksum: a power cut may
// mix lines that were being replaced, and what comes of that must not be a contender.
//
// The owner rewrites the file with its own line at the front, so that it does not grow. A contender
// whose line was cut off by that finds the owner's line in front of it, which is the answer.

import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { Processes } from "../../env/processes.js";
import { readWhole } from "./file-window.js";

interface Contender {
  readonly id: string;
  readonly pid: number;
  /** Tells a process from a later one with the same pid; "" where the system does not say. */
  readonly started: string;
  readonly host: string;
  /** Where on the host the pid means something. */
  readonly namespace: string;
}

// Locks that this thread has let go of. Where it could not say so, or where a file system has lost
// what it said, their lines stay in the file and would keep the process from its own directory.
const abandoned = new Set<string>();

// Processes of another host, or of another container, cannot be asked: they count as alive.
function canBeAsked({ host, namespace }: Contender, processes: Processes): boolean {
  return host === processes.host && namespace === processes.namespace;
}

function isAlive(contender: Contender, processes: Processes): boolean {
  if (!canBeAsked(contender, processes)) return true;
  const { id, pid, started } = contender;
  if (abandoned.has(id) || !processes.isRunning(pid)) return false;
  const start = processes.startOf(pid);
  return started === "" || start === "" || start === started;
}

type Entry = Contender | { readonly withdrawn: string };

function encodeLine(entry: Entry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16)} ${json}`;
}

/** undefined for a line that a crash has cut, and for the remains behind a rewritten front. */
function decodeLine(line: string): Entry | undefined {
  const json = line.slice(line.indexOf(" ") + 1);
  if (json === "" || line !== `${crc32(json).toString(16)} ${json}`) return undefined;
  return JSON.parse(json) as Entry;
}

function parseLines(text: string): Contender[] {
  const contenders = new Map<string, Contender>();
  for (const line of text.split("\n")) {
    const entry = decodeLine(line);
    if (entry === undefined) continue;
    if ("withdrawn" in entry) contenders.delete(entry.withdrawn);
    else contenders.set(entry.id, entry);
  }
  return [...contenders.values()];
}

async function readText(env: Env, path: string): Promise<string> {
  return (await readWhole(env.files, path)).toString("utf8");
}

function inUse(path: string, owner: Contender, processes: Processes): DiskStoreOpenError {
  const where = owner.host === processes.host ? "" : ` on ${owner.host}`;
  const hint = adviceOn(owner, path, processes);
  return new DiskStoreOpenError(`${path} is in use by process ${owner.pid}${where}`, { hint });
}

function adviceOn(owner: Contender, path: string, processes: Processes): string {
  if (!canBeAsked(owner, processes)) {
    return (
      "nobody here can tell whether that process still runs, on another host or in another " +
      `container: close the store there, or, if it is gone for certain, remove ${path}`
    );
  }
  return owner.pid === processes.id
    ? "this process has it open already, perhaps under another name or in another thread"
    : "close the store there first: one process at a time may have it open";
}

/**
 * Makes sure that nobody has the directory open, and changes nothing. Resolves with the content of
 * the file: as long as that is the same, nobody has opened the directory since.
 *
 * @throws DiskStoreOpenError naming the owner when the directory is in use.
 */
export async function requireUnowned(env: Env, path: string): Promise<string> {
  if ((await env.files.stat(path)) === undefined) return "";
  const text = await readText(env, path);
  const owner = parseLines(text).find((contender) => isAlive(contender, env.processes));
  if (owner !== undefined) throw inUse(path, owner, env.processes);
  return text;
}

export class DirectoryLock {
  readonly #env: Env;
  readonly #path: string;
  readonly #id: string;

  private constructor(env: Env, path: string, id: string) {
    this.#env = env;
    this.#path = path;
    this.#id = id;
  }

  /** @throws DiskStoreOpenError naming the owner when the directory is in use. */
  static async acquire(env: Env, path: string): Promise<DirectoryLock> {
    const { id: pid, host, namespace, startOf } = env.processes;
    const me = { id: randomUUID(), pid, started: startOf(pid) ?? "", host, namespace };
    const lock = new DirectoryLock(env, path, me.id);
    const line = encodeLine(me);
    let owner = await lock.#contend(line);
    // An owner that has gone meanwhile may have cut the own line off.
    while (owner === undefined) owner = await lock.#contend(line);
    if (owner.id === me.id) return lock;
    await lock.release();
    throw inUse(path, owner, env.processes);
  }

  /** Never rejects: a line that cannot be written now is not needed by anyone after this process. */
  async release(): Promise<void> {
    abandoned.add(this.#id);
    try {
      await this.#append(encodeLine({ withdrawn: this.#id }));
    } catch {
      // The line is dead without it.
    }
  }

  /** Enters the own line; resolves with the owner. */
  async #contend(line: string): Promise<Contender | undefined> {
    try {
      await this.#append(line);
      const owner = await this.#owner();
      if (owner?.id === this.#id) await this.#rewrite(line);
      return owner;
    } catch (error) {
      abandoned.add(this.#id);
      throw error;
    }
  }

  async #append(line: string): Promise<void> {
    const file = await this.#env.files.open(this.#path, "append");
    try {
      await file.write(Buffer.from(`\n${line}\n`));
    } finally {
      await file.close();
    }
  }

  async #owner(): Promise<Contender | undefined> {
    const text = await readText(this.#env, this.#path);
    return parseLines(text).find(
      (contender) => contender.id === this.#id || isAlive(contender, this.#env.processes),
    );
  }

  async #rewrite(line: string): Promise<void> {
    const file = await this.#env.files.open(this.#path, "write");
    try {
      const bytes = Buffer.from(`${line}\n`);
      await file.write(bytes, 0);
      await file.truncate(bytes.length);
    } finally {
      await file.close();
    }
  }
}
