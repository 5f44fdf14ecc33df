// Every byte of a directory flipped, one at a time: the outcome is known exactly, from a reading of
// the format that shares nothing with the code.

import { isKvError } from "anykv";
import { describe, expect, test } from "vitest";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import { framesOf, headerBytes, partOf, type RawFrame, unclaimed } from "./format-reading.js";
import { dumpOf, Model, type RecordedChanges, recordedHistory } from "./recorded-history.js";
import { diskWith, envOn, type FileSet, storePath, writtenFiles } from "./wal-files.js";

/** What opening must say: a number of transactions, or the file and the offset of the damage. */
type Outcome = number | { readonly path: string; readonly offset: number };

function expected(files: FileSet, path: string, place: number, length: number): Outcome {
  const bytes = files.get(path) as Buffer;
  const states = [...files.keys()].filter((name) => name.endsWith(".state")).sort();
  const segments = [...files.keys()].filter((name) => name.endsWith(".log")).sort();
  const state = states.at(-1);
  const replayed = (name: string): boolean =>
    state === undefined || name.slice(4, 24) > state.slice(11, 31);
  if (path !== state && (path.endsWith(".state") || !replayed(path))) return length;
  if (place < headerBytes) {
    // An empty last segment of which no state knows may as well be one that was being created.
    const begun = state === undefined ? 0 : begunBy(state, files.get(state) as Buffer);
    const isNew = path === segments.at(-1) && bytes.length === headerBytes;
    return isNew && numberIn(path) > begun ? length : { path, offset: 0 };
  }
  if (path === state) return { path, offset: partOf(bytes, place) };
  const frames = framesOf(bytes);
  const hit = frames.filter(({ offset }) => offset <= place).at(-1) as RawFrame;
  const later = frames.filter(({ offset }) => offset > hit.offset);
  const isTorn = path === segments.at(-1) && later.every(({ durable }) => durable <= hit.offset);
  return isTorn ? hit.first - 1 : { path, offset: hit.offset };
}

function numberIn(path: string): number {
  return Number(/\d{20}/.exec(path)?.[0]);
}

/** Segments that begin up to here are known to a state: the one after it, and those it waited for. */
function begunBy(path: string, bytes: Buffer): number {
  const until = Number(bytes.readBigUInt64LE(bytes.length - 8));
  return Math.max(until, numberIn(path) + 1);
}

async function outcomeOf(files: FileSet): Promise<string | { message: string }> {
  const disk = diskWith(files);
  const verified = await verifyWal(envOn(disk), storePath);
  try {
    const options = { ...walDefaults, path: storePath, trackKeys: false };
    const engine = await WalEngine.open(envOn(disk), options);
    expect(verified.opens).toBe(true);
    const dump = await engine.read(dumpOf, undefined);
    await engine.close();
    return dump;
  } catch (error) {
    if (!isKvError(error) || error.name !== "DiskStoreOpenError") throw error;
    expect(verified.opens).toBe(false);
    return error;
  }
}

describe.each([
  { title: "synced writes", seed: 1, syncWrites: true, snapshots: 3, keepsSuperseded: true },
  { title: "unsynced writes", seed: 2, syncWrites: false, snapshots: 0, keepsSuperseded: false },
])("$title", (options) => {
  test("each flipped byte has the outcome that the format says", async () => {
    const records = await recordedHistory(options.seed, 16);
    const closed = await writtenFiles(records, options);
    // A store that has been closed knows all of its records to be on the disk.
    const counts = await outcomes(closed, records);
    expect(counts.torn).toBe(0);
    expect(counts.refused).toBeGreaterThan(0);
    const killed = await outcomes(unclaimed(closed), records);
    expect(Math.min(killed.torn, killed.refused)).toBeGreaterThan(0);
    console.info(`flipped bytes, ${options.title}: ${JSON.stringify({ closed: counts, killed })}`);
  });
});

interface Counts {
  refused: number;
  torn: number;
  whole: number;
}

/** @throws when a flipped byte has another outcome than the format says. */
async function outcomes(files: FileSet, records: readonly RecordedChanges[]): Promise<Counts> {
  const dumps = [new Model().dump];
  const model = new Model();
  for (const changes of records) {
    model.apply(changes);
    dumps.push(model.dump);
  }
  const counts = { refused: 0, torn: 0, whole: 0 };
  for (const [path, bytes] of files) {
    for (let place = 0; place < bytes.length; place++) {
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] as number) ^ (1 << (place % 8));
      const found = await outcomeOf(new Map(files).set(path, flipped));
      const outcome = expected(files, path, place, records.length);
      if (typeof outcome === "number") {
        expect(found, `byte ${place} of ${path}`).toBe(dumps[outcome]);
        counts[outcome === records.length ? "whole" : "torn"]++;
      } else {
        const where = `at byte ${outcome.offset} of ${storePath}/${outcome.path}`;
        expect((found as Error).message, `byte ${place} of ${path}`).toContain(where);
        counts.refused++;
      }
    }
  }
  return counts;
}
