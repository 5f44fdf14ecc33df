// The real file system, through Node. Nothing is buffered here: each call is one system call, or
// the few that a short read or write takes.

import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import type { FileHandle, FileStat, Files, OpenMode } from "./files.js";

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants;
// A pipe among the files must not keep anyone waiting: it reads as empty. Windows has no such flag.
const readFlags = O_RDONLY | (constants.O_NONBLOCK ?? 0);
const flags: Readonly<Record<OpenMode, number>> = {
  read: readFlags,
  write: O_RDWR | O_CREAT,
  append: O_RDWR | O_CREAT | O_APPEND,
  create: O_RDWR | O_CREAT | O_EXCL,
};
const permissions = { file: 0o600, directory: 0o750 } as const;

function nodeFile(file: fs.FileHandle): FileHandle {
  return {
    async read(buffer, offset, length, position) {
      let done = 0;
      let bytesRead = length;
      while (done < length && bytesRead > 0) {
        const at = position + done;
        ({ bytesRead } = await file.read(buffer, offset + done, length - done, at));
        done += bytesRead;
      }
      return done;
    },
    async write(bytes, position) {
      let done = 0;
      while (done < bytes.length) {
        const at = position === undefined ? null : position + done;
        done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
      }
    },
    dataSync: () => file.datasync(),
    sync: () => file.sync(),
    truncate: (length) => file.truncate(length),
    size: async () => (await file.stat()).size,
    close: () => file.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories; it orders changes of names in a journal of its own.
  if (process.platform === "win32") return;
  const handle = await fs.open(path, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    const entry = await fs.stat(path);
    const kind = entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
    return { kind, sizeBytes: entry.size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

// Step by step: Node's own `recursive` never ends below a directory that takes none, such as /proc.
async function makeDirectory(path: string): Promise<string | undefined> {
  try {
    await fs.mkdir(path, { mode: permissions.directory });
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path))?.kind === "directory") return undefined;
    const parent = dirname(path);
    if (code !== "ENOENT" || (await stat(parent)) !== undefined) throw error;
    const topmost = await makeDirectory(parent);
    const made = await makeDirectory(path);
    return topmost ?? made;
  }
}

export const nodeFiles: Files = {
  open: async (path, mode) => nodeFile(await fs.open(path, flags[mode], permissions.file)),
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.unlink(path),
  list: async (directory) => (await fs.readdir(directory)).sort(),
  makeDirectory,
  syncDirectory,
  stat,
  readAll: (path) => fs.readFile(path, { flag: readFlags }),
};
