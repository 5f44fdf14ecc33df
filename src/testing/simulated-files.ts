// Simulated files: `Files` in memory, on a disk that knows what is durable, with calls that can be
// made to fail or to be a process's last. One object is the file system as one process sees it: a
// process that comes later gets another one on the same disk.

import { posix } from "node:path";
import type { Random } from "../env/env.js";
import type { FileHandle, FileStat, Files, OpenMode } from "../env/files.js";
import {
  type Call,
  type CallObserver,
  type Fault,
  SimulatedCalls,
  systemError,
} from "./simulated-calls.js";
import { type Entry, SimulatedDisk } from "./simulated-disk.js";
import { SimulatedHandle } from "./simulated-handle.js";

export interface SimulatedFilesOptions {
  /** Default: an empty one. */
  readonly disk?: SimulatedDisk;
  /** Draws how long calls take; without it they all take the same time. */
  readonly random?: Random;
  readonly observer?: CallObserver;
}

export class SimulatedFiles implements Files {
  readonly disk: SimulatedDisk;
  readonly #calls: SimulatedCalls;
  readonly #open = new Set<FileHandle>();

  constructor({ disk = new SimulatedDisk(), random, observer = {} }: SimulatedFilesOptions = {}) {
    this.disk = disk;
    this.#calls = new SimulatedCalls(random, observer);
  }

  /** All calls so far. */
  get calls(): readonly Call[] {
    return this.#calls.made;
  }

  /** Handles that have not been closed. */
  get openHandles(): number {
    return this.#open.size;
  }

  /**
   * Ends the process when it makes this call: from then on nothing takes effect and nothing settles.
   * With `middle` a write still puts the first half of its bytes down.
   */
  stopAt(call: number, middle = false): void {
    this.#calls.stopAt(call, middle);
  }

  /** Resolves when `stopAt` has ended the process. */
  get whenStopped(): Promise<void> {
    return this.#calls.whenEnded;
  }

  /** Makes a call fail; a lasting fault fails all later calls that it concerns as well. */
  failAt(call: number, fault: Fault, lasting = false): void {
    this.#calls.failAt(call, fault, lasting);
  }

  heal(): void {
    this.#calls.heal();
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    return this.#calls.run({ kind: "open", path }, () => {
      const file = this.#opened(path, mode);
      const onClose = (closed: FileHandle): void => void this.#open.delete(closed);
      const subject = { disk: this.disk, calls: this.#calls, path, file, mode, onClose };
      const handle = new SimulatedHandle(subject);
      this.#open.add(handle);
      return handle;
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#calls.run({ kind: "rename", path: to }, () => {
      for (const path of [from, to]) this.#directory(posix.dirname(path), "rename");
      this.#file(from, "rename");
      this.disk.rename(from, to);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#calls.run({ kind: "remove", path }, () => {
      this.#file(path, "unlink");
      this.disk.remove(path);
    });
  }

  async list(directory: string): Promise<string[]> {
    return this.#calls.run({ kind: "list", path: directory }, () => {
      this.#directory(directory, "scandir");
      return this.disk.list(directory);
    });
  }

  async makeDirectory(path: string): Promise<string | undefined> {
    return this.#calls.run({ kind: "makeDirectory", path }, () => {
      const missing = lineage(path).filter((step) => this.disk.entry(step) === undefined);
      if (typeof this.disk.entry(path) === "number") throw systemError("EEXIST", "mkdir", path);
      const [first] = missing;
      if (first !== undefined) this.#directory(posix.dirname(first), "mkdir");
      for (const step of missing) this.disk.makeDirectory(step);
      return first;
    });
  }

  async syncDirectory(path: string): Promise<void> {
    const until = this.disk.changes;
    await this.#calls.run({ kind: "syncDirectory", path }, () => {
      this.#directory(path, "open");
      this.disk.syncDirectory(path, until);
    });
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return this.#calls.run({ kind: "stat", path }, () => {
      const entry = this.#entry(path, "stat");
      if (entry === undefined) return undefined;
      if (entry === "directory") return { kind: "directory", sizeBytes: 0 } as const;
      return { kind: "file", sizeBytes: this.disk.shown(entry).length } as const;
    });
  }

  async readAll(path: string): Promise<Uint8Array> {
    return this.#calls.run({ kind: "readAll", path }, () =>
      Uint8Array.from(this.disk.shown(this.#file(path, "open"))),
    );
  }

  #opened(path: string, mode: OpenMode): number {
    const entry = this.#entry(path, "open");
    if (entry !== undefined && mode === "create") throw systemError("EEXIST", "open", path);
    if (entry === "directory") throw systemError("EISDIR", "open", path);
    if (entry !== undefined) return entry;
    if (mode === "read") throw systemError("ENOENT", "open", path);
    this.#directory(posix.dirname(path), "open");
    return this.disk.create(path);
  }

  #entry(path: string, syscall: string): Entry | undefined {
    if (typeof this.disk.entry(posix.dirname(path)) === "number") {
      throw systemError("ENOTDIR", syscall, path);
    }
    return this.disk.entry(path);
  }

  #file(path: string, syscall: string): number {
    const entry = this.#entry(path, syscall);
    if (entry === "directory") throw systemError("EISDIR", syscall, path);
    if (entry === undefined) throw systemError("ENOENT", syscall, path);
    return entry;
  }

  #directory(path: string, syscall: string): void {
    const entry = this.#entry(path, syscall);
    if (entry === undefined) throw systemError("ENOENT", syscall, path);
    if (entry !== "directory") throw systemError("ENOTDIR", syscall, path);
  }
}

/** A path and the directories above it, topmost first, without the root. */
function lineage(path: string): string[] {
  const above = posix.dirname(path);
  return above === path ? [] : [...lineage(above), path];
}
