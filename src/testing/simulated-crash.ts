// Simulated crash: which of the pending changes of a disk outlive a power cut.
//
// Every mode is something that the contract of `Files` allows. Those with a seed choose anew for
// every change, and give the same disk for the same seed.

import { posix } from "node:path";
import { seededRandom } from "./seeded-random.js";
import {
  type ContentChange,
  changed,
  type Entry,
  type FileNode,
  overwritten,
  resized,
  SimulatedDisk,
} from "./simulated-disk.js";

/**
 * - `nothing`, `everything`: none or all of the pending changes have reached the disk.
 * - `prefix`: the first so many of them.
 * - `torn`: all of them, but the last write only in part, cut between two sectors of 512 bytes or
 *   anywhere.
 * - `pages`: names all, but of the written bytes only some pages, in no order, with zeros in the
 *   holes; lengths as they were at some moment since the last sync.
 * - `names`: contents all, but each change of a name may be undone on its own.
 * - `pages and names`: both.
 */
export type CrashMode =
  | { readonly kind: "nothing" | "everything" }
  | { readonly kind: "prefix"; readonly changes: number }
  | { readonly kind: "torn"; readonly cut: "sector" | "byte"; readonly seed: number }
  | { readonly kind: "pages" | "names" | "pages and names"; readonly seed: number };

type Below = (bound: number) => number;

interface Survival {
  keepsName(at: number): boolean;
  content(node: FileNode): Buffer;
}

const sectorBytes = 512;
// Pages are as small as a sector now and then, and smaller than that, because the files of tests are
// small as well.
const pageSizes = [64, sectorBytes, 4096] as const;

/** The changes that happened at all, in full. */
function upTo(limit: number): Survival {
  return {
    keepsName: (at) => at <= limit,
    content: ({ durable, pending }) =>
      pending.filter(({ at }) => at <= limit).reduce(changed, durable),
  };
}

function torn(disk: SimulatedDisk, cut: "sector" | "byte", below: Below): Survival {
  const pending = [...disk.nodes.values()].flatMap((node) => node.pending);
  const last = Math.max(...pending.filter(({ kind }) => kind === "write").map(({ at }) => at));
  const shortened = (change: ContentChange): ContentChange => {
    if (change.kind !== "write" || change.at !== last) return change;
    const { position, bytes } = change;
    const end = position + below(bytes.length + 1);
    const kept = cut === "byte" ? end : Math.floor(end / sectorBytes) * sectorBytes;
    return { ...change, bytes: bytes.subarray(0, Math.max(0, kept - position)) };
  };
  return {
    keepsName: () => true,
    content: (node) => node.pending.map(shortened).reduce(changed, node.durable),
  };
}

/** The file with some pages of what was written, and the length that it had at some moment. */
function scattered({ durable, pending }: FileNode, below: Below): Buffer {
  const pageBytes = pageSizes[below(pageSizes.length)] as number;
  const reached = below(pending.length + 1);
  let length = durable.length;
  let bytes = durable;
  for (const [index, change] of pending.entries()) {
    if (change.kind === "write") {
      for (const { position, piece } of pieces(change.position, change.bytes, pageBytes)) {
        if (below(2) === 0) bytes = overwritten(bytes, position, piece);
      }
    } else if (index < reached) bytes = resized(bytes, change.length);
    if (index < reached) length = lengthAfter(length, change);
  }
  return resized(bytes, length);
}

function lengthAfter(length: number, change: ContentChange): number {
  if (change.kind === "truncate") return change.length;
  return Math.max(length, change.position + change.bytes.length);
}

/** What was written, cut where pages of the file begin. */
function* pieces(
  start: number,
  bytes: Buffer,
  pageBytes: number,
): Generator<{ position: number; piece: Buffer }> {
  const end = start + bytes.length;
  for (let position = start; position < end; ) {
    const next = Math.min(end, (Math.floor(position / pageBytes) + 1) * pageBytes);
    yield { position, piece: bytes.subarray(position - start, next - start) };
    position = next;
  }
}

function survivalOf(disk: SimulatedDisk, mode: CrashMode): Survival {
  const all = upTo(Infinity);
  switch (mode.kind) {
    case "nothing":
      return upTo(0);
    case "everything":
      return all;
    case "prefix":
      return upTo(mode.changes === 0 ? 0 : (disk.unsynced()[mode.changes - 1] ?? Infinity));
    case "torn":
      return torn(disk, mode.cut, seededRandom(mode.seed).below);
    default: {
      const { below } = seededRandom(mode.seed);
      // One rename touches two names, so the coin is tossed once for each change.
      const coins = new Map(disk.pendingNames.map(({ at }) => [at, below(2) === 0]));
      return {
        keepsName: mode.kind === "pages" ? all.keepsName : (at) => coins.get(at) === true,
        content: mode.kind === "names" ? all.content : (node) => scattered(node, below),
      };
    }
  }
}

/** The disk after a power cut. */
export function crashed(disk: SimulatedDisk, mode: CrashMode): SimulatedDisk {
  const survival = survivalOf(disk, mode);
  const names = new Map(disk.durableNames);
  for (const { at, path, entry } of disk.pendingNames) {
    if (!survival.keepsName(at)) continue;
    if (entry === undefined) names.delete(path);
    else names.set(path, entry);
  }
  dropUnreachable(names);
  const nodes = new Map<number, FileNode>();
  for (const file of new Set(names.values())) {
    const node = file === "directory" ? undefined : disk.nodes.get(file);
    if (file === "directory" || node === undefined) continue;
    const bytes = survival.content(node);
    nodes.set(file, { shown: bytes, durable: bytes, pending: [] });
  }
  return new SimulatedDisk(nodes, names, disk.changes);
}

/** A name is lost with the directory that it stood in. Parents sort before what is in them. */
function dropUnreachable(names: Map<string, Entry>): void {
  for (const path of [...names.keys()].sort()) {
    if (path !== "/" && names.get(posix.dirname(path)) !== "directory") names.delete(path);
  }
}
