// Repair, case by case: what is damaged, what is said of it, what is left afterwards.

import { describe, expect, test } from "vitest";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import {
  dumpAfter,
  dumpOn,
  filesAfter,
  flipped,
  options,
  pathsOf,
  range,
  repair,
  valuesIn,
} from "./damaged-files.js";
import { framesOf } from "./format-reading.js";
import { diskWith, envOn, filesOn, storePath } from "./wal-files.js";

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
