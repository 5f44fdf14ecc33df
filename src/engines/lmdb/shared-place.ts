// Shared place: the directory of a shared store, which is there as long as somebody uses the store.
//
//   anykv-<uid>-<store>/          mode 0700
//     data-<generation>           the LMDB file
//     data-<generation>-lock      its lock file
//     users-<generation>/         an empty file for each user, named after it
//
// Invariants
// 1. A directory gets its name by a rename, with all its files and its first user in it. A rename
//    replaces at most an empty directory.
// 2. Who wants to use it puts a file into users-<generation>. Whoever succeeds in removing that
//    directory, which works only when it is empty, has ended the generation: nobody can enter it.
// 3. Only then its files are removed, by names that no other generation will ever have. So any
//    number may remove them at once, at any pace, and never hit what has come after.
//
// A user is a thread that has the store open. It leaves when it closes the store, or at the exit of
// the process; for one that dies in another way its guardian does it (guardian.ts), and if that has
// died as well, the next one who enters, who can tell from the name that the process is dead.
//
// Nothing here goes through an Env: LMDB maps real files, and at the exit of a process only calls
// that are done when they return are made at all.

import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { DiskStoreOpenError } from "../../base/errors.js";
import { isDead, processTag } from "../../env/process-tag.js";
import type { Processes } from "../../env/processes.js";
import { type Guardian, startGuardian } from "./guardian.js";
import { lockBytes, lockPathOf } from "./lock-file.js";

const usersPrefix = "users-";
const dataPrefix = "data-";
const memoryDirectory = "/dev/shm";

// Every failed attempt means that somebody else has come or gone in between.
const attemptsMax = 1_000;

function digest(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/** Where shared stores lie on this machine. */
export function sharedBase(): string {
  try {
    accessSync(memoryDirectory, constants.W_OK | constants.X_OK);
    return memoryDirectory;
  } catch {
    return tmpdir();
  }
}

/** The directory of a store's shared place; `name` undefined: of the store without a name. */
export function sharedDirectory(name: string | undefined, base = sharedBase()): string {
  const owner = process.geteuid?.() ?? digest(userInfo().username, 8);
  // The readable part is for people; the digest tells names apart, and no name is empty.
  const readable =
    name === undefined ? "" : `${name.replace(/[^A-Za-z0-9_]+/g, "-").slice(0, 32)}-`;
  return join(base, `anykv-${owner}-${readable}${digest(name ?? "", 24)}`);
}

// The name of a user: <process tag>.<unique>
function nameUser(processes: Processes): string {
  return `${processTag(processes)}.${randomBytes(8).toString("hex")}`;
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | null)?.code;
const taken: ReadonlySet<unknown> = new Set(["EEXIST", "ENOTEMPTY", "ENOENT", "EPERM", "EACCES"]);

/** Whether it could be done; what another one has done first, or holds on to, could not. */
function attempt(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (taken.has(codeOf(error))) return false;
    throw error;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

export class SharedPlace {
  readonly directory: string;
  readonly #processes: Processes;
  readonly #user: string;
  readonly #draft: string;
  #generation = "";
  #guardian: Guardian | undefined;

  private constructor(processes: Processes, directory: string) {
    this.#processes = processes;
    this.directory = directory;
    this.#user = nameUser(processes);
    this.#draft = `${directory}.${this.#user}`;
  }

  /**
   * Enters the place of a store, and makes it if nobody is there.
   * @throws DiskStoreOpenError when it belongs to somebody else, or there is no room for it
   */
  static enter(processes: Processes, directory: string): SharedPlace {
    const place = new SharedPlace(processes, directory);
    const { directory: here, user, draft } = place.#watched();
    // First of all, so that there is no moment in which a kill would leave something.
    place.#guardian = startGuardian({ directory: here, user, draft });
    present.add(place);
    listenForExit();
    try {
      place.#enter();
      return place;
    } catch (cause) {
      place.leave();
      throw openFailure(directory, cause);
    }
  }

  /** The LMDB file. */
  get path(): string {
    return join(this.directory, dataPrefix + this.#generation);
  }

  /** Goes, and takes everything away if nobody else is there. A second call does nothing. */
  leave(): void {
    if (!present.delete(this)) return;
    try {
      rmSync(this.#draft, { recursive: true, force: true });
      attempt(() => unlinkSync(this.#userPath()));
      endGeneration(this.directory, this.#generation);
      this.#guardian?.dismiss();
    } catch {
      // The guardian sees the end of its input when this thread ends, and tries once more.
    }
  }

  #watched(): { directory: string; user: string; draft: string } {
    return { directory: this.directory, user: this.#user, draft: this.#draft };
  }

  #userPath(): string {
    return join(this.directory, usersPrefix + this.#generation, this.#user);
  }

  #enter(): void {
    for (let count = 0; count < attemptsMax; count++) {
      if (this.#join() || this.#create()) {
        // Nobody else can take it away as long as there is something in it.
        requireOwn(this.directory);
        return;
      }
    }
    throw new DiskStoreOpenError(`${this.directory} holds something else than a shared store`, {
      hint: "remove it, or open the store under another name",
    });
  }

  /** Becomes one of those who are there; false when nobody is, or not any more. */
  #join(): boolean {
    const { directory } = this;
    const users = namesIn(directory).find((name) => name.startsWith(usersPrefix));
    if (users === undefined) return false;
    requireOwn(directory);
    const generation = users.slice(usersPrefix.length);
    for (const user of namesIn(join(directory, users))) {
      if (isDead(user, this.#processes)) attempt(() => unlinkSync(join(directory, users, user)));
    }
    // Data of the dead: they go with their last user, as if it had closed the store.
    if (endGeneration(directory, generation)) return false;
    this.#generation = generation;
    return attempt(() => writeFileSync(this.#userPath(), "", { flag: "wx", mode: 0o600 }));
  }

  /** Makes the place; false when another one was faster, or remains are in the way. */
  #create(): boolean {
    removeRemains(this.directory, this.#processes);
    const draft = this.#draft;
    this.#generation = randomBytes(8).toString("hex");
    const users = join(draft, usersPrefix + this.#generation);
    const data = join(draft, dataPrefix + this.#generation);
    mkdirSync(draft, { mode: 0o700 });
    mkdirSync(users, { mode: 0o700 });
    writeFileSync(join(users, this.#user), "", { mode: 0o600 });
    writeFileSync(data, "", { mode: 0o600 });
    // With all its pages: see lock-file.ts.
    writeFileSync(lockPathOf(data), Buffer.alloc(lockBytes), { mode: 0o600 });
    if (attempt(() => renameSync(draft, this.directory))) return true;
    rmSync(draft, { recursive: true, force: true });
    return false;
  }
}

/** Removes a generation that has no users; false when it has some, or another one was faster. */
function endGeneration(directory: string, generation: string): boolean {
  if (!attempt(() => rmdirSync(join(directory, usersPrefix + generation)))) return false;
  removeData(directory, generation);
  return true;
}

function removeData(directory: string, generation: string): void {
  const data = join(directory, dataPrefix + generation);
  attempt(() => unlinkSync(`${data}-lock`));
  attempt(() => unlinkSync(data));
  attempt(() => rmdirSync(directory));
}

/** Removes what those have left who died while they came or went. */
function removeRemains(directory: string, processes: Processes): void {
  const names = namesIn(directory);
  // Data without users belong to a generation that has ended; one that lives has both or neither
  // in a list of names, because it comes as a whole, and users go first.
  if (!names.some((name) => name.startsWith(usersPrefix))) {
    for (const name of names) {
      const generation = /^data-([0-9a-f]+)$/.exec(name.replace(/-lock$/, ""))?.[1];
      if (generation !== undefined) removeData(directory, generation);
    }
  }
  const drafts = `${basename(directory)}.`;
  for (const name of namesIn(dirname(directory))) {
    if (!name.startsWith(drafts) || !isDead(name.slice(drafts.length), processes)) continue;
    rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
}

/** @throws DiskStoreOpenError unless the directory is one, and ours: others could change the data. */
function requireOwn(directory: string): void {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const mine = process.geteuid === undefined || stat.uid === process.geteuid();
  if (mine && stat.isDirectory()) return;
  throw new DiskStoreOpenError(`${directory} belongs to somebody else`, {
    hint: "open the store under another name, or ask the owner to remove it",
  });
}

function openFailure(directory: string, cause: unknown): DiskStoreOpenError {
  if (cause instanceof DiskStoreOpenError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DiskStoreOpenError(`the shared store ${directory} cannot be opened: ${reason}`, {
    cause,
    hint: "check the rights of the directory above it, and the room there is in shared memory",
  });
}

// Places that this thread has entered. A process that exits without closing its stores leaves them.
const present = new Set<SharedPlace>();
let listening = false;

function listenForExit(): void {
  if (listening) return;
  listening = true;
  process.on("exit", () => {
    for (const place of present) place.leave();
  });
}
