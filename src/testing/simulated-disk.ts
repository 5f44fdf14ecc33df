// Simulated disk: what a file system shows, and how much of that would outlive a power cut.
//
// Invariants
// 1. What is shown is what is durable with all pending changes applied, in their order. (Not after
//    `loseUnsynced`: what is shown then exists in memory alone, and nothing will make it durable.)
// 2. Changes are numbered in the order in which they took effect, those of contents and those of
//    names in one sequence; one call makes one change, also a rename, which touches two names.
// 3. A change stops being pending by a sync of its file or directory that began after it.
// 4. Buffers are never changed once they are here, so that copies of the disk share them.

import { posix } from "node:path";

export type ContentChange =
  | {
      readonly kind: "write";
      readonly at: number;
      readonly position: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: "truncate"; readonly at: number; readonly length: number };

export interface FileNode {
  readonly shown: Buffer;
  readonly durable: Buffer;
  readonly pending: readonly ContentChange[];
}

/** What a name stands for: a directory, or a file by its number. */
export type Entry = "directory" | number;

export interface NameChange {
  readonly at: number;
  readonly path: string;
  /** undefined when the name is gone. */
  readonly entry: Entry | undefined;
}

/** A copy of `bytes` with `piece` written over it, and zeros between the two if they do not touch. */
export function overwritten(bytes: Buffer, position: number, piece: Uint8Array): Buffer {
  const result = Buffer.alloc(Math.max(bytes.length, position + piece.length));
  bytes.copy(result);
  result.set(piece, position);
  return result;
}

/** The first `length` bytes, and zeros where there are not as many. */
export function resized(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  bytes.copy(result, 0, 0, length);
  return result;
}

export function changed(bytes: Buffer, change: ContentChange): Buffer {
  if (change.kind === "truncate") return resized(bytes, change.length);
  return overwritten(bytes, change.position, change.bytes);
}

export class SimulatedDisk {
  readonly #nodes: Map<number, FileNode>;
  readonly #durableNames: Map<string, Entry>;
  readonly #names: Map<string, Entry>;
  #pendingNames: readonly NameChange[] = [];
  #changes: number;

  /** A disk of which everything is durable; without arguments, one with just a root directory. */
  constructor(
    nodes: ReadonlyMap<number, FileNode> = new Map(),
    names: ReadonlyMap<string, Entry> = new Map([["/", "directory"]]),
    changes = 0,
  ) {
    this.#nodes = new Map(nodes);
    this.#durableNames = new Map(names);
    this.#names = new Map(names);
    this.#changes = changes;
  }

  get nodes(): ReadonlyMap<number, FileNode> {
    return this.#nodes;
  }

  get durableNames(): ReadonlyMap<string, Entry> {
    return this.#durableNames;
  }

  /** Names as they are shown, durable or not. */
  get shownNames(): ReadonlyMap<string, Entry> {
    return this.#names;
  }

  get pendingNames(): readonly NameChange[] {
    return this.#pendingNames;
  }

  /** The number of changes so far: a sync that begins now covers all up to this one. */
  get changes(): number {
    return this.#changes;
  }

  /** The disk as it is, with everything pending still pending: what a killed process leaves. */
  clone(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#nodes, this.#durableNames, this.#changes);
    disk.#names.clear();
    for (const [path, entry] of this.#names) disk.#names.set(path, entry);
    disk.#pendingNames = this.#pendingNames;
    return disk;
  }

  /** The changes that a power cut may undo, in order. */
  unsynced(): number[] {
    const contents = [...this.#nodes.values()].flatMap(({ pending }) => pending);
    const all = [...contents, ...this.#pendingNames].map(({ at }) => at);
    return [...new Set(all)].sort((a, b) => a - b);
  }

  entry(path: string): Entry | undefined {
    return this.#names.get(path);
  }

  shown(file: number): Buffer {
    return this.#node(file).shown;
  }

  list(directory: string): string[] {
    const paths = [...this.#names.keys()].filter((path) => path !== "/");
    const inside = paths.filter((path) => posix.dirname(path) === directory);
    return inside.map((path) => posix.basename(path)).sort();
  }

  create(path: string): number {
    const at = ++this.#changes;
    const empty = Buffer.alloc(0);
    this.#nodes.set(at, { shown: empty, durable: empty, pending: [] });
    this.#name({ at, path, entry: at });
    return at;
  }

  makeDirectory(path: string): void {
    this.#name({ at: ++this.#changes, path, entry: "directory" });
  }

  rename(from: string, to: string): void {
    const at = ++this.#changes;
    const entry = this.#names.get(from);
    this.#name({ at, path: from, entry: undefined });
    this.#name({ at, path: to, entry });
  }

  remove(path: string): void {
    this.#name({ at: ++this.#changes, path, entry: undefined });
  }

  write(file: number, position: number, bytes: Uint8Array): void {
    const at = ++this.#changes;
    this.#change(file, { kind: "write", at, position, bytes: Buffer.from(bytes) });
  }

  truncate(file: number, length: number): void {
    this.#change(file, { kind: "truncate", at: ++this.#changes, length });
  }

  /** Makes the changes of a file durable, up to the one of the given number. */
  sync(file: number, until: number): void {
    const { shown, durable, pending } = this.#node(file);
    const synced = pending.filter(({ at }) => at <= until);
    const left = pending.filter(({ at }) => at > until);
    this.#nodes.set(file, { shown, durable: synced.reduce(changed, durable), pending: left });
  }

  /** A sync has failed: the system shows what it had taken, and will never write it. */
  loseUnsynced(file: number): void {
    const { shown, durable } = this.#node(file);
    this.#nodes.set(file, { shown, durable, pending: [] });
  }

  syncDirectory(directory: string, until: number): void {
    const isSynced = ({ at, path }: NameChange): boolean =>
      at <= until && posix.dirname(path) === directory;
    for (const { path, entry } of this.#pendingNames.filter(isSynced)) {
      if (entry === undefined) this.#durableNames.delete(path);
      else this.#durableNames.set(path, entry);
    }
    this.#pendingNames = this.#pendingNames.filter((change) => !isSynced(change));
  }

  #node(file: number): FileNode {
    const node = this.#nodes.get(file);
    if (node === undefined) throw new Error(`the simulated disk has no file ${file}`);
    return node;
  }

  #change(file: number, change: ContentChange): void {
    const { shown, durable, pending } = this.#node(file);
    const node = { shown: changed(shown, change), durable, pending: [...pending, change] };
    this.#nodes.set(file, node);
  }

  #name(change: NameChange): void {
    if (change.entry === undefined) this.#names.delete(change.path);
    else this.#names.set(change.path, change.entry);
    this.#pendingNames = [...this.#pendingNames, change];
  }
}
