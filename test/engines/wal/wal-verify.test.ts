// Verify, case by case: what is damaged, and what is said of it.

import { describe, expect, test } from "vitest";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { Progress } from "../../../src/engines/wal/wal-report.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { filesAfter, flipped, options, pathsOf, range, repair } from "./damaged-files.js";
import { framesOf, unclaimed } from "./format-reading.js";
import { diskWith, envOn, type FileSet, storePath } from "./wal-files.js";

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
