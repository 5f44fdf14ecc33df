// Confined directory: files that remote callers name, kept below one directory whatever they write.
//
// What holds
// 1. A name is a relative path of plain components with "/" between them: no "..", nothing absolute,
//    no drive letter, no NUL. It is refused before the file system is asked.
// 2. Nothing on the way below the directory is a symbolic link, and neither is the file itself: each
//    component is looked at without following it, and the place that the system resolves in the end
//    has to be the place that was meant.
// 3. A file that is read is opened here, not being a link itself. Where the system can say what has
//    been opened (/proc/self/fd), it has to be what lay in the place that was meant, and the reader
//    gets that very file: what becomes of its name, before or after, does not matter. Readers by name
//    (`byName`), and all of them on other systems, open the name again.
//    A file that is written is replaced under its name by a rename, which does not follow a link in
//    the place of the file; the place is looked at once more when that is done.
// 4. Errors name a file as the caller did. The directory stands in none of them.
//
// Against other users of the machine who may write in the directory, 2 holds for what 3 says of
// /proc/self/fd, and for nothing else: between the look and the use of a name they may put a link in
// the place of a directory. What is written, and directories that are made for it, then go where the
// link leads; the last look tells, but undoes nothing. Give the directory to the server alone.

import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import {
  type KvError,
  SnapshotExportError,
  SnapshotNotFoundError,
  SnapshotPermissionError,
} from "../../base/errors.js";
import { componentsOf } from "./file-name.js";
import { namedError } from "./named-error.js";

const { O_RDONLY } = constants;
// Windows has neither flag; a pipe must not keep anyone waiting.
const readFlags = O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const directoryMode = 0o750;
const descriptors = "/proc/self/fd";

export class ConfinedDirectory {
  /** Absolute, all links resolved. */
  readonly root: string;
  readonly #hasDescriptors: boolean;

  private constructor(root: string, hasDescriptors: boolean) {
    this.root = root;
    this.#hasDescriptors = hasDescriptors;
  }

  /** Rejects as the file system does when there is no such directory. */
  static async open(directory: string): Promise<ConfinedDirectory> {
    const root = await realpath(directory);
    const entry = await stat(root);
    if (!entry.isDirectory()) throw new Error(`${directory} is not a directory`);
    const hasDescriptors = await stat(descriptors).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return new ConfinedDirectory(root, hasDescriptors);
  }

  /**
   * Lets `use` read a file; the path that it is given is good as long as it runs.
   * `byName`: the path is that of the name, for readers that look at what lies beside the file.
   *
   * @throws InvalidOptionsError for a name that is none, SnapshotNotFoundError,
   * SnapshotPermissionError.
   */
  async reading<Result>(
    name: unknown,
    use: (path: string) => Promise<Result>,
    byName = false,
  ): Promise<Result> {
    const components = componentsOf(name);
    const shown = components.join("/");
    const path = await this.#place(components, false);
    const entry = await look(path, shown);
    if (entry === undefined) throw missing(shown);
    if (!entry.isFile() && !entry.isDirectory()) throw noFile(shown, entry);
    // What reads it has an error of its own for directories; not every system opens them.
    if (entry.isDirectory() && !this.#hasDescriptors) {
      return await this.#named(path, components, use);
    }
    const file = await openPlain(path, shown);
    try {
      if (this.#hasDescriptors) await requireAt(file, path, shown);
      const isHeld = this.#hasDescriptors && !byName;
      return await this.#named(isHeld ? `${descriptors}/${file.fd}` : path, components, use);
    } finally {
      await file.close();
    }
  }

  /**
   * Lets `use` write a file, making the directories above it that are missing.
   *
   * @throws InvalidOptionsError for a name that is none, SnapshotPermissionError, SnapshotExportError.
   */
  async writing<Result>(name: unknown, use: (path: string) => Promise<Result>): Promise<Result> {
    const components = componentsOf(name);
    const shown = components.join("/");
    const path = await this.#place(components, true);
    const entry = await look(path, shown);
    if (entry?.isDirectory()) throw unwritable(shown, "it is a directory");
    if (entry !== undefined && !entry.isFile()) throw noFile(shown, entry);
    const result = await this.#named(path, components, use);
    await this.#place(components, false);
    return result;
  }

  async #named<Result>(
    path: string,
    components: readonly string[],
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await use(path);
    } catch (error) {
      throw namedError(error, [
        [path, components.join("/")],
        [`${this.root}${sep}`, ""],
        [this.root, "the directory for files"],
      ]);
    }
  }

  /** The absolute path of a name, its parent directories checked one by one. */
  async #place(components: readonly string[], makesMissing: boolean): Promise<string> {
    const shown = components.join("/");
    let path = this.root;
    for (const component of components.slice(0, -1)) {
      path = join(path, component);
      let entry = await look(path, shown);
      if (entry === undefined && makesMissing) {
        await makeDirectory(path, shown);
        entry = await look(path, shown);
      }
      if (entry === undefined) throw missing(shown);
      if (entry.isSymbolicLink()) throw linked(shown);
      if (!entry.isDirectory()) {
        throw makesMissing ? unwritable(shown, "it would lie below a file") : missing(shown);
      }
    }
    // What the system resolves is what was meant, unless a link has come in between.
    const resolved = await realpath(path).catch((cause: unknown) => {
      throw systemError(shown, cause);
    });
    if (resolved !== path) throw linked(shown);
    return `${path}${path.endsWith(sep) ? "" : sep}${components.at(-1)}`;
  }
}

/** A file or a directory. */
async function openPlain(path: string, shown: string): Promise<FileHandle> {
  const file = await open(path, readFlags).catch((cause: unknown) => {
    throw systemError(shown, cause);
  });
  const opened = await file.stat();
  if (opened.isFile() || opened.isDirectory()) return file;
  await file.close();
  throw noFile(shown, opened);
}

/**
 * What has been opened is what lay there, if the system says so: a directory on the way may have been
 * exchanged for a link after it was looked at, and not opening links looks at the last part alone.
 */
async function requireAt({ fd }: FileHandle, path: string, shown: string): Promise<void> {
  const place = await readlink(`${descriptors}/${fd}`).catch((cause: unknown) => {
    throw systemError(shown, cause);
  });
  // Whoever replaces a file by a rename takes it away from whoever has just opened it.
  if (place !== path && place !== `${path} (deleted)`) throw linked(shown);
}

/** What stands under a path, links not followed; undefined for nothing. */
async function look(path: string, shown: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw systemError(shown, cause);
  }
}

async function makeDirectory(path: string, shown: string): Promise<void> {
  try {
    await mkdir(path, { mode: directoryMode });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw systemError(shown, cause);
  }
}

function missing(shown: string): KvError {
  return new SnapshotNotFoundError(`the file ${shown} does not exist`, {
    hint: "names are relative to the directory that the server has for files",
  });
}

function linked(shown: string): KvError {
  return new SnapshotPermissionError(
    `the way to the file ${shown} leads through a symbolic link, which is not followed`,
  );
}

function noFile(shown: string, entry: Stats): KvError {
  if (entry.isSymbolicLink()) return linked(shown);
  return new SnapshotPermissionError(`${shown} is neither a file nor a directory`);
}

function unwritable(shown: string, why: string): KvError {
  return new SnapshotExportError(`the file ${shown} cannot be written: ${why}`, {
    hint: "choose another `fileName`",
  });
}

function systemError(shown: string, cause: unknown): KvError {
  const { code = "unknown" } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return missing(shown);
  if (code === "ELOOP" || code === "EMLINK") return linked(shown);
  if (code === "EACCES" || code === "EPERM") {
    return new SnapshotPermissionError(`the server may not use the file ${shown}`, { cause });
  }
  return new SnapshotExportError(`the server cannot use the file ${shown} (${code})`, { cause });
}
