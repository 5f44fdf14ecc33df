// The page walker, on healthy files of many histories and on files with one thing wrong in them.

import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { readHeader } from "../../../src/engines/lmdb/file-header.js";
import { type Walk, walkPages } from "../../../src/engines/lmdb/page-walker.js";
import type { FileHandle } from "../../../src/env/files.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { envOn } from "../wal/wal-files.js";
import { type Sample, sampleFile } from "./sample-store.js";

async function opened(bytes: Uint8Array): Promise<FileHandle> {
  const disk = new SimulatedDisk();
  disk.write(disk.create("/store"), 0, bytes);
  return envOn(disk).files.open("/store", "read");
}

async function walked(bytes: Uint8Array): Promise<Walk> {
  const file = await opened(bytes);
  const header = await readHeader(file);
  if (header === undefined) throw new Error("no header");
  return walkPages(file, header, bytes.length);
}

const whats = ({ problems }: Walk): string[] => problems.map(({ what }) => what);

describe("a healthy file", () => {
  test.each([1, 2, 3, 4])(
    "has no problems, and every page is used or free: seed %i",
    async (seed) => {
      const { bytes, header } = await sampleFile(seed);
      const walk = await walked(bytes);
      expect(whats(walk)).toEqual([]);
      expect(walk.pagesUsed + walk.pagesFree + 2).toBe(header.lastPage + 1);
      expect(header.main.depth).toBeGreaterThan(0);
      expect(walk.trees.map(({ name }) => name)).toContain("values");
    },
  );
});

describe("damage", () => {
  let sample: Sample;
  const page = (bytes: Buffer, number: number): Buffer =>
    bytes.subarray(number * sample.header.pageBytes, (number + 1) * sample.header.pageBytes);
  const root = (bytes: Buffer): Buffer => page(bytes, sample.header.main.root as number);

  /** Two bytes less of the value of the first node. */
  function shorten(leaf: Buffer): void {
    const node = 24 + leaf.readUInt16LE(24);
    leaf.writeUInt32LE(leaf.readUInt32LE(node) - 2, node);
  }

  async function damaged(damage: (bytes: Buffer) => void): Promise<string[]> {
    sample ??= await sampleFile(5);
    const bytes = Buffer.from(sample.bytes);
    damage(bytes);
    return whats(await walked(bytes));
  }

  test.each<[what: RegExp, damage: (bytes: Buffer) => void]>([
    [/says that it is page/, (bytes) => root(bytes).writeUInt32LE(7, 0)],
    [/is of a later transaction/, (bytes) => root(bytes).writeUInt32LE(0x7fff_ffff, 8)],
    [/is not a leaf page/, (bytes) => root(bytes).writeUInt16LE(1, 18)],
    [/free room is not within/, (bytes) => root(bytes).writeUInt16LE(0xfff0, 22)],
    [/node 0 is not within/, (bytes) => root(bytes).writeUInt16LE(0xfff0, 24)],
    [/out of order/, (bytes) => root(bytes).writeUInt16LE(root(bytes).readUInt16LE(26), 24)],
    [/\d nodes do not lie/, (bytes) => root(bytes).writeUInt16LE(root(bytes).readUInt16LE(26), 24)],
    [/1 nodes do not lie/, (bytes) => shorten(root(bytes))],
    [/it is empty/, (bytes) => root(bytes).writeUInt16LE(0, 20)],
  ])("is told: %s", async (what, damage) => {
    const found = await damaged(damage);
    expect(found.join("\n")).toMatch(what);
  });

  test("any byte of a structure: a walk ends, and tells what matters", async () => {
    sample ??= await sampleFile(5);
    const random = seededRandom(1);
    let told = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(sample.bytes);
      const number = 2 + random.below(bytes.length / sample.header.pageBytes - 2);
      const at = number * sample.header.pageBytes + random.below(24);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      if (whats(await walked(bytes)).length > 0) told++;
    }
    expect(told).toBeGreaterThan(20);
  });

  test("a page that is missing at the end is told, unless it is free", async () => {
    sample ??= await sampleFile(5);
    const { bytes, header } = sample;
    const rows = (await walked(bytes)).trees;
    let clean = 0;
    for (let pages = header.lastPage; pages >= 2; pages -= 3) {
      const walk = await walked(bytes.subarray(0, pages * header.pageBytes));
      if (walk.problems.length > 0) {
        expect(whats(walk).join("\n")).toContain("is missing at the end of the file");
        continue;
      }
      clean++;
      expect(walk.trees).toEqual(rows);
    }
    console.info(`${clean} cuts lose nothing`);
  });
});
