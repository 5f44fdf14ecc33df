// Mutations: what disks, people and bugs do to files, drawn from a seed.

import type { Random } from "../../../src/env/env.js";
import type { FileSet } from "./wal-files.js";

/** Changes some files of the set; `other` are those of another store. */
type Mutation = (files: FileSet, random: Random, other: FileSet) => void;

/** Magics of the format: places where damage does the most. */
const magics = ["AKVF", "AKVZ", "AKVB", "AKVE"].map((magic) => Buffer.from(magic, "latin1"));

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}

function pickFile(files: FileSet, random: Random): [path: string, bytes: Buffer] {
  const [path, bytes] = pick(random, [...files]);
  return [path, Buffer.from(bytes)];
}

/** Where frames and blocks begin. */
function starts(bytes: Buffer): number[] {
  const found: number[] = [0];
  for (const magic of magics) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) found.push(at);
  }
  return found.sort((a, b) => a - b);
}

/** A place in a file, often where something begins. */
function pickPlace(bytes: Buffer, random: Random): number {
  if (random.below(2) === 0) return random.below(bytes.length + 1);
  return Math.min(
    bytes.length,
    pick(random, starts(bytes)) + pick(random, [0, 0, 1, 4, 8, 20, 36]),
  );
}

function pickRange(bytes: Buffer, random: Random): [start: number, end: number] {
  const places = [pickPlace(bytes, random), pickPlace(bytes, random)].sort((a, b) => a - b);
  return places as [number, number];
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random.below(256)));
}

function change(files: FileSet, random: Random, edit: (bytes: Buffer) => Buffer | undefined): void {
  const [path, bytes] = pickFile(files, random);
  files.set(path, edit(bytes) ?? bytes);
}

export const mutations: Readonly<Record<string, Mutation>> = {
  "a flipped bit": (files, random) =>
    change(files, random, (bytes) => {
      if (bytes.length === 0) return;
      const at = Math.min(pickPlace(bytes, random), bytes.length - 1);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return;
    }),
  "other bytes": (files, random) =>
    change(files, random, (bytes) => {
      const at = pickPlace(bytes, random);
      noise(random, 1 + random.below(50)).copy(bytes, at);
      return;
    }),
  zeros: (files, random) =>
    change(files, random, (bytes) => {
      bytes.fill(0, ...pickRange(bytes, random));
      return;
    }),
  "a cut": (files, random) =>
    change(files, random, (bytes) => bytes.subarray(0, pickPlace(bytes, random))),
  "an empty file": (files, random) => change(files, random, () => Buffer.alloc(0)),
  "zeros at the end": (files, random) =>
    change(files, random, (bytes) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(5000))])),
  "noise at the end": (files, random) =>
    change(files, random, (bytes) => Buffer.concat([bytes, noise(random, 1 + random.below(300))])),
  "a piece removed": (files, random) =>
    change(files, random, (bytes) => {
      const [start, end] = pickRange(bytes, random);
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    }),
  "a piece twice": (files, random) =>
    change(files, random, (bytes) => {
      const [start, end] = pickRange(bytes, random);
      const at = pickPlace(bytes, random);
      const piece = bytes.subarray(start, end);
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    }),
  "a piece of another place": (files, random) => splice(files, random, files),
  "a piece of another store": (files, random, other) => splice(files, random, other),
  "a huge length": (files, random) =>
    change(files, random, (bytes) => {
      const at = pick(random, starts(bytes)) + 8;
      if (at + 4 > bytes.length) return;
      bytes.writeUInt32LE(pick(random, [0xffffffff, 0x7fffffff, 0x80000000, 0]), at);
      return;
    }),
  "two files swapped": (files, random) => {
    const [a, first] = pickFile(files, random);
    const [b, second] = pickFile(files, random);
    files.set(a, second);
    files.set(b, first);
  },
  "a file of another store": (files, random, other) => {
    const [path] = pickFile(files, random);
    const [, bytes] = pickFile(other, random);
    files.set(path, bytes);
  },
  "a file under another name": (files, random) => {
    const [path, bytes] = pickFile(files, random);
    const number = `${random.below(120)}`.padStart(20, "0");
    files.set(path.replace(/\d{20}/, number), bytes);
  },
  "a file removed": (files, random) => {
    files.delete(pickFile(files, random)[0]);
  },
  "foreign files": (files, random) => {
    const names = ["wal/notes.txt", "wal/1.log", "last_state/x.state.tmp", "wal/.log", "LOCK.old"];
    files.set(pick(random, names), noise(random, random.below(80)));
  },
};

function splice(files: FileSet, random: Random, from: FileSet): void {
  const [, source] = pickFile(from, random);
  const piece = source.subarray(...pickRange(source, random));
  change(files, random, (bytes) => {
    const at = pickPlace(bytes, random);
    const isInserted = random.below(2) === 0;
    const rest = bytes.subarray(isInserted ? at : Math.min(bytes.length, at + piece.length));
    return Buffer.concat([bytes.subarray(0, at), piece, rest]);
  });
}

/** Mutates one to three times; resolves with the names of what was done. */
export function mutate(files: FileSet, random: Random, other: FileSet): string[] {
  const names = Object.keys(mutations);
  const done: string[] = [];
  const count = pick(random, [1, 1, 1, 2, 3]);
  while (done.length < count && files.size > 0) {
    const name = pick(random, names);
    mutations[name]?.(files, random, other);
    done.push(name);
  }
  return done;
}
