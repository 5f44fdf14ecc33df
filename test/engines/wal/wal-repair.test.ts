// Verify and repair, case by case: what is damaged, what is said of it, what is left afterwards.

import { describe, expect, test } from "vitest";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { WalEngine, walDefaults } from "../../../src/engines/wal/wal-engine.js";
import type { Progress, RepairReport } from "../../../src/engines/wal/wal-report.js";
import type { Env } from "../../../src/env/env.js";
import { mendRows } from "../../../src/operations/mend.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { framesOf, unclaimed } from "./format-reading.js";
import { dumpOf, Model, type RecordedChanges } from "./recorded-history.js";
import { diskWith, envOn, type FileSet, filesOn, storePath } from "./wal-files.js";

const options = { ...walDefaults, path: storePath, trackKeys: false, syncWrites: true };

/** Transaction `number` puts value v<number> under one of five keys. */
function changesOf(number: number): RecordedChanges {
  const key = `k${number % 5}`;
  return [{ kind: "put", table: "values", key, value: `v${number}`, deadline: Infinity }];
}

function dumpAfter(numbers: readonly number[]): string {
  const model = new Model();
  for (const number of numbers) model.apply(changesOf(number));
  return model.dump;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Transactions one by one, a state wherever `states` says; all files ever there are kept. */
async function filesAfter(
  length: number,
  states: readonly number[] = [],
  keep = false,
): Promise<FileSet> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(storePath);
  let engine = await WalEngine.open(envOn(disk), { ...options, segmentBytesMax: 300 });
  const kept: FileSet = new Map();
  for (const number of range(1, length)) {
    await engine.write((transaction) => {
      for (const change of changesOf(number)) {
        if (change.kind === "put") transaction.values.put(change.key, change.value, Infinity);
      }
    }, undefined);
    if (!states.includes(number)) continue;
    if (keep) for (const [path, bytes] of filesOn(disk)) kept.set(path, bytes);
    await engine.compact();
    await engine.close();
    engine = await WalEngine.open(envOn(disk), { ...options, segmentBytesMax: 300 });
  }
  await engine.close();
  return new Map([...kept, ...filesOn(disk)]);
}

function pathsOf(files: FileSet, extension: ".log" | ".state"): string[] {
  return [...files.keys()].filter((path) => path.endsWith(extension)).sort();
}

function flipped(files: FileSet, path: string, offset: number): FileSet {
  const bytes = Buffer.from(files.get(path) ?? Buffer.alloc(0));
  bytes[offset] = (bytes[offset] as number) ^ 0x10;
  return new Map(files).set(path, bytes);
}

function repair(env: Env): Promise<RepairReport> {
  return repairWal(env, storePath, { mend: mendRows });
}

async function dumpOn(disk: SimulatedDisk): Promise<string> {
  const engine = await WalEngine.open(envOn(disk), options);
  const dump = await engine.read(dumpOf, undefined);
  await engine.close();
  return dump;
}

/** Values only: counters leap after a loss. */
function valuesIn(dump: string): string {
  const lines = dump.split("\n");
  return lines.filter((line) => line.startsWith("values ")).join("\n");
}

describe("verify", () => {
  test("tells every file of a store in order", async () => {
    const files = await filesAfter(14, [6]);
    const report = await verifyWal(envOn(diskWith(files)), storePath);
    expect(report).toMatchObject({ opens: true, problems: [], tornBytes: 0, foreign: [] });
    expect(report.files.map((file) => file.path.slice(storePath.length + 1))).toEqual([
      ...pathsOf(files, ".state"),
      ...pathsOf(files, ".log"),
    ]);
    const [state, ...segments] = report.files;
    expect(state).toMatchObject({ kind: "state", version: 1, replay: 6, until: 6, rows: 5 });
    const records = segments.map((file) => (file.kind === "segment" ? file.records : 0));
    expect(records.reduce((sum, each) => sum + each, 0)).toBe(8);
    expect(segments[0]).toMatchObject({ kind: "segment", first: 7, needed: true });
    expect(segments.map((file) => file.rows)).toEqual(records);
  });

  test("tells the torn end of a log from damage", async () => {
    const files = unclaimed(await filesAfter(3));
    const [path = ""] = pathsOf(files, ".log");
    const frames = framesOf(files.get(path) as Buffer);
    const torn = flipped(files, path, (frames[2]?.offset ?? 0) + 40);
    const report = await verifyWal(envOn(diskWith(torn)), storePath);
    const tornBytes = (frames[2]?.end ?? 0) - (frames[2]?.offset ?? 0);
    expect(report).toMatchObject({ opens: true, problems: [], tornBytes });
    expect(report.files[0]).toMatchObject({ tornBytes, records: 2, last: 2 });
  });

  test("names file, offset, extent and kind of each damage", async () => {
    const files = await filesAfter(14, [6]);
    const [state = ""] = pathsOf(files, ".state");
    const [first = ""] = pathsOf(files, ".log");
    const [frame] = framesOf(files.get(first) as Buffer);
    const damaged = flipped(flipped(files, state, 50), first, (frame?.offset ?? 0) + 36);
    const report = await verifyWal(envOn(diskWith(damaged)), storePath);
    const stateBytes = files.get(state)?.length ?? 0;
    expect(report.opens).toBe(false);
    expect(report.refusal?.message).toBe(`unreadable block at byte 36 of ${storePath}/${state}`);
    expect(report.refusal?.hint).toContain("anykv repair");
    const bytes = (frame?.end ?? 0) - (frame?.offset ?? 0);
    expect(report.problems.slice(0, 2)).toEqual([
      {
        path: `${storePath}/${state}`,
        offset: 36,
        bytes: stateBytes - 36 - 32,
        what: "unreadable block",
      },
      { path: `${storePath}/${first}`, offset: 36, bytes, what: "unreadable frame" },
    ]);
  });

  test("names segments and records that are missing", async () => {
    const files = await filesAfter(14, [6]);
    const [first = "", second = ""] = pathsOf(files, ".log");
    const without = (...paths: string[]): FileSet =>
      new Map([...files].filter(([path]) => !paths.includes(path)));
    const gap = await verifyWal(envOn(diskWith(without(first))), storePath);
    expect(gap.problems[0]).toMatchObject({ path: `${storePath}/${second}`, offset: 8 });
    expect(gap.problems[0]?.what).toMatch(/^record \d+ where 7 is due$/);
    const all = await verifyWal(envOn(diskWith(without(...pathsOf(files, ".log")))), storePath);
    expect(all.problems).toEqual([
      { path: `${storePath}/${first}`, offset: 0, bytes: 0, what: "the segment is missing" },
    ]);
  });

  test("is not taken in by blocks and frames that belong elsewhere", async () => {
    const [ours, theirs] = [await filesAfter(14, [6]), await filesAfter(14, [6])];
    const [state = ""] = pathsOf(ours, ".state");
    const mixed = Buffer.concat([
      (ours.get(state) as Buffer).subarray(0, 36),
      (theirs.get(state) as Buffer).subarray(36),
    ]);
    const { problems } = await verifyWal(
      envOn(diskWith(new Map(ours).set(state, mixed))),
      storePath,
    );
    expect(problems[0]).toMatchObject({ path: `${storePath}/${state}`, offset: 36 });
    // The last frame once more, behind itself: a number that has been given already.
    const last = pathsOf(ours, ".log").at(-1) ?? "";
    const bytes = ours.get(last) as Buffer;
    const frame = framesOf(bytes).at(-1);
    const twice = Buffer.concat([bytes, bytes.subarray(frame?.offset)]);
    const report = await verifyWal(envOn(diskWith(new Map(ours).set(last, twice))), storePath);
    expect(report).toMatchObject({ opens: true, tornBytes: twice.length - bytes.length });
  });

  test("lists foreign and unfinished files without taking offence", async () => {
    const files = await filesAfter(3);
    files.set("wal/notes.txt", Buffer.from("mine"));
    files.set("last_state/00000000000000000002.state.tmp", Buffer.from("begun"));
    const report = await verifyWal(envOn(diskWith(files)), storePath);
    expect(report).toMatchObject({ opens: true, problems: [] });
    expect(report.foreign).toEqual([`${storePath}/wal/notes.txt`]);
  });

  test("refuses a store that is open, with the owner's number, and leaves its lock alone", async () => {
    const disk = diskWith(await filesAfter(3));
    const engine = await WalEngine.open(envOn(disk), options);
    const lock = disk.shown(disk.entry(`${storePath}/LOCK`) as number);
    const refused = verifyWal(envOn(disk), storePath);
    await expect(refused).rejects.toThrow(`in use by process ${process.pid}`);
    await expect(refused).rejects.toMatchObject({ name: "DiskStoreOpenError" });
    expect(disk.shown(disk.entry(`${storePath}/LOCK`) as number)).toEqual(lock);
    await expect(repair(envOn(disk))).rejects.toThrow(`in use by process ${process.pid}`);
    await engine.close();
    expect((await verifyWal(envOn(disk), storePath)).opens).toBe(true);
  });

  test("says nothing of a store that was opened meanwhile", async () => {
    const disk = diskWith(await filesAfter(14));
    let opening: Promise<void> | undefined;
    const open = async (): Promise<void> => {
      const engine = await WalEngine.open(envOn(disk), options);
      await engine.close();
    };
    const onProgress = (): void => {
      opening ??= open();
    };
    const refused = verifyWal(envOn(disk), storePath, { onProgress });
    await expect(refused).rejects.toThrow(/in use by process|opened by another process meanwhile/);
    await opening;
  });

  test("takes nothing for a store that is none", async () => {
    const disk = new SimulatedDisk();
    for (const path of ["/store", "/store/wal"]) disk.makeDirectory(path);
    await expect(verifyWal(envOn(disk), storePath)).rejects.toMatchObject({
      name: "DiskPathError",
    });
    await expect(repair(envOn(disk))).rejects.toMatchObject({ name: "DiskPathError" });
    expect(disk.list(storePath)).toEqual(["wal"]);
  });

  test("reports progress file by file", async () => {
    const files = await filesAfter(14, [6]);
    const seen: Progress[] = [];
    await verifyWal(envOn(diskWith(files)), storePath, { onProgress: (each) => seen.push(each) });
    expect(seen.map(({ filesDone }) => filesDone)).toEqual(range(0, files.size - 1));
    expect(new Set(seen.map((each) => each.files))).toEqual(new Set([files.size]));
  });
});

describe("repair", () => {
  test("leaves a store in order as it is, torn end and leftovers included", async () => {
    const files = await filesAfter(14, [4, 8], true);
    const last = pathsOf(files, ".log").at(-1) ?? "";
    files.set(last, Buffer.concat([files.get(last) as Buffer, Buffer.from("AKVF torn")]));
    const disk = diskWith(files);
    const report = await repair(envOn(disk));
    expect(report).toMatchObject({ changed: false, lossless: true, moved: [], tornBytes: 9 });
    expect(filesOn(disk)).toEqual(files);
  });

  test("loses just the records of a damaged frame", async () => {
    const files = await filesAfter(14);
    const [, second = ""] = pathsOf(files, ".log");
    const frame = framesOf(files.get(second) as Buffer)[1];
    const lost = frame?.first ?? 0;
    const disk = diskWith(flipped(files, second, (frame?.offset ?? 0) + 33));
    const report = await repair(envOn(disk));
    expect(report).toMatchObject({
      ...{ changed: true, lossless: false, rows: 7, next: 15, lostRows: [], mended: [] },
      lostRecords: [{ first: lost, last: lost }],
    });
    expect(valuesIn(await dumpOn(disk))).toBe(
      dumpAfter(range(1, 14).filter((number) => number !== lost)),
    );
  });

  test("says which rows are only known from before the loss", async () => {
    const files = await filesAfter(14);
    const paths = pathsOf(files, ".log");
    const last = framesOf(files.get(paths.at(-2) ?? "") as Buffer)[0]?.first ?? 0;
    for (const path of paths.slice(1, -1)) files.delete(path);
    const report = await repair(envOn(diskWith(files)));
    const after = range(framesOf(files.get(paths.at(-1) ?? "") as Buffer)[0]?.first ?? 15, 14);
    const known = new Set(after.map((number) => `k${number % 5}`));
    const older = ["k0", "k1", "k2", "k3", "k4"].filter((key) => !known.has(key));
    expect(last).toBeGreaterThan(1);
    expect(report.olderRows.flatMap(({ keys }) => [...keys]).sort()).toEqual(older);
  });

  test("needs no state whose records are all in the log", async () => {
    const files = await filesAfter(14, [4, 8], true);
    for (const path of pathsOf(files, ".state")) {
      const disk = diskWith(flipped(files, path, 60));
      const report = await repair(envOn(disk));
      expect(report).toMatchObject({ changed: true, lossless: true, lostRecords: [] });
      expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 14)));
    }
  });

  test("takes an older state and the log after it", async () => {
    const files = await filesAfter(14, [4, 8], true);
    const [older = "", newest = ""] = pathsOf(files, ".state");
    for (const path of pathsOf(files, ".log")) {
      if (path < "wal/00000000000000000005.log") files.delete(path);
    }
    expect(older).toContain("4.state");
    const disk = diskWith(flipped(files, newest, 60));
    expect(await repair(envOn(disk))).toMatchObject({ lossless: true });
    expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 14)));
  });

  test("reads what it can of a damaged state that nothing can replace", async () => {
    const files = await filesAfter(9, [6]);
    const [path = ""] = pathsOf(files, ".state");
    const disk = diskWith(flipped(files, path, 60));
    const report = await repair(envOn(disk));
    expect(report).toMatchObject({
      // Its only block: nothing of it stands in for the records.
      lostRecords: [{ first: 1, last: 6, stateRead: undefined }],
      lostRows: [{ path: `${storePath}/${path}`, rows: 5 }],
    });
    expect(valuesIn(await dumpOn(disk))).toBe(dumpAfter(range(7, 9)));
  });

  test("takes a state whose rows are all there, whatever is wrong around them", async () => {
    const files = await filesAfter(9, [6]);
    const [path = ""] = pathsOf(files, ".state");
    const longer = Buffer.concat([files.get(path) as Buffer, Buffer.from("more")]);
    const damaged = [3, 20, 34].map((offset) => flipped(files, path, offset));
    for (const each of [...damaged, new Map(files).set(path, longer)]) {
      const disk = diskWith(each);
      expect(await repair(envOn(disk))).toMatchObject({ changed: true, lossless: true });
      expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 9)));
    }
  });

  test("keeps all rows of a state whose end is damaged, and does not call them all", async () => {
    const files = await filesAfter(9, [6]);
    const [path = ""] = pathsOf(files, ".state");
    const disk = diskWith(flipped(files, path, (files.get(path)?.length ?? 0) - 5));
    const report = await repair(envOn(disk));
    expect(report.lostRows).toEqual([{ path: `${storePath}/${path}`, rows: undefined }]);
    expect(valuesIn(await dumpOn(disk))).toBe(dumpAfter(range(1, 9)));
  });

  test.each([3, 7, 12, 20, 34])(
    "reads a segment whose header is damaged at byte %i",
    async (at) => {
      const files = await filesAfter(14);
      for (const path of pathsOf(files, ".log").slice(0, -1)) {
        const disk = diskWith(flipped(files, path, at));
        expect(await repair(envOn(disk))).toMatchObject({ lossless: true, next: 15 });
        expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 14)));
      }
    },
  );

  test("reads a store of one segment whose header is wiped", async () => {
    const files = await filesAfter(3);
    const [path = ""] = pathsOf(files, ".log");
    (files.get(path) as Buffer).fill(0, 0, 36);
    const disk = diskWith(files);
    expect(await repair(envOn(disk))).toMatchObject({ lossless: true });
    expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 3)));
  });

  test("does not take a log that a user stored as a value for its own", async () => {
    const inner = await filesAfter(4);
    const log = inner.get(pathsOf(inner, ".log")[0] ?? "") as Buffer;
    const disk = diskWith(new Map());
    const engine = await WalEngine.open(envOn(disk), options);
    for (const key of ["a", "b", "c"]) {
      await engine.write(
        ({ values }) => values.put(key, Uint8Array.from(log), Infinity),
        undefined,
      );
    }
    await engine.close();
    const files = filesOn(disk);
    const [path = ""] = pathsOf(files, ".log");
    const [, second] = framesOf(files.get(path) as Buffer);
    const torn = diskWith(flipped(files, path, files.get(path)!.length - 1));
    expect(await verifyWal(envOn(torn), storePath)).toMatchObject({ opens: true, problems: [] });
    const damaged = diskWith(flipped(files, path, second?.offset ?? 0));
    expect(await repair(envOn(damaged))).toMatchObject({ lostRecords: [{ first: 2, last: 2 }] });
    const dump = await dumpOn(damaged);
    expect(dump).not.toContain("k1");
    expect(dump).toContain('values "c"');
  });

  test("takes what is whole in either of two copies of a segment", async () => {
    const files = await filesAfter(14);
    const [, path = ""] = pathsOf(files, ".log");
    const [first, second] = framesOf(files.get(path) as Buffer);
    const copy = flipped(files, path, first?.offset ?? 0).get(path) as Buffer;
    // The damaged copy comes first by its name.
    const damaged = flipped(files, path, second?.offset ?? 0).set(
      path.replace(/\d\.log/, "2.log"),
      copy,
    );
    const disk = diskWith(damaged);
    expect(await repair(envOn(disk))).toMatchObject({ changed: true, lossless: true });
    expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 14)));
  });

  test("moves damage aside that opening does not meet", async () => {
    const files = await filesAfter(14, [6], true);
    const [superseded = ""] = pathsOf(files, ".log");
    const disk = diskWith(flipped(files, superseded, 40));
    const report = await repair(envOn(disk));
    expect(report).toMatchObject({ changed: true, lossless: true, rows: undefined });
    expect(report.moved).toEqual([`${storePath}/${superseded}`]);
    expect(filesOn(disk).has(superseded)).toBe(false);
    expect(await dumpOn(disk)).toBe(dumpAfter(range(1, 14)));
  });

  test("keeps everything in the quarantine, with the report beside it", async () => {
    const files = await filesAfter(14, [6]);
    files.set("wal/notes.txt", Buffer.from("mine"));
    files.set("last_state/00000000000000000002.state.tmp", Buffer.from("begun"));
    const [state = ""] = pathsOf(files, ".state");
    const damaged = flipped(files, state, 60);
    const disk = diskWith(damaged);
    const report = await repair(envOn(disk));
    expect(report.quarantine).toBe(`${storePath}/quarantine/20240101T000000Z`);
    const after = filesOn(disk);
    const place = (report.quarantine ?? "").slice(storePath.length + 1);
    for (const [path, bytes] of damaged) {
      const now = path === "wal/notes.txt" ? path : `${place}/${path}`;
      expect(after.get(now), now).toEqual(bytes);
    }
    const text = after.get(`${place}/report.json`)?.toString() ?? "";
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(report)));
  });

  test("takes another place in the quarantine when the time's own is taken", async () => {
    const files = await filesAfter(14);
    const [first = ""] = pathsOf(files, ".log");
    const disk = diskWith(flipped(files, first, 40));
    await repair(envOn(disk));
    const entry = disk.entry(`${storePath}/wal/${disk.list(`${storePath}/wal`)[0]}`) as number;
    disk.write(entry, 0, Buffer.from("X"));
    disk.write(entry, 36, Buffer.from("something"));
    expect((await repair(envOn(disk))).quarantine).toMatch(/20240101T000000Z-2$/);
  });

  test("guesses at nothing when the files are as much another store's", async () => {
    const ours = await filesAfter(14, [6]);
    const theirs = await filesAfter(14, [6]);
    const [segment = ""] = pathsOf(theirs, ".log");
    const [state = ""] = pathsOf(ours, ".state");
    const mixed = new Map([
      [state, ours.get(state) as Buffer],
      [segment, theirs.get(segment) as Buffer],
    ]);
    const disk = diskWith(mixed);
    await expect(repair(envOn(disk))).rejects.toThrow("the files of several stores");
    expect(filesOn(disk)).toEqual(mixed);
    // One file among several is no question.
    const most = new Map(ours).set(segment, theirs.get(segment) as Buffer);
    const report = await repair(envOn(diskWith(most)));
    expect(report.lostRecords[0]?.first).toBe(7);
  });

  test("goes on behind every number that was ever given", async () => {
    const files = await filesAfter(14, [6]);
    const paths = pathsOf(files, ".log");
    for (const path of paths) files.set(path, Buffer.alloc(5));
    const report = await repair(envOn(diskWith(files)));
    const last = Number(paths.at(-1)?.slice(4, 24));
    expect(report.next).toBeGreaterThanOrEqual(last);
    expect(report.lostRecords).toEqual([{ first: 7, last: undefined, stateRead: undefined }]);
    // Nothing after the loss was readable: every row is older, but for the two counters.
    const older = report.olderRows.flatMap(({ keys }) => [...keys]);
    expect(older).toHaveLength((report.rows ?? Number.NaN) - 2);
  });
});
