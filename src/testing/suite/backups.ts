// Backups: what a backup holds, and what becomes of the file when it cannot be made.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Kv } from "../../kv/kv.js";
import type { CopyProgress } from "../../transfer/backup.js";
import { scratchFile } from "../scratch-directory.js";
import { type Family, granted, numberedEntries, refusal } from "./suite-case.js";

/** Everything that the public interface shows of a store. */
export async function contentOf(kv: Kv): Promise<object> {
  const arrays = await kv.listArrays();
  const entries = await kv.list();
  const keys = [...arrays, ...entries.map(({ key }) => key)];
  return {
    entries,
    arrays: await Promise.all(arrays.map(async (key) => [key, await kv.range(key)])),
    expiry: await Promise.all(keys.map(async (key) => [key, await kv.ttl(key)])),
    items: await kv.filter("bucket").size(),
  };
}

/** Some of everything; 9 entries. */
export async function fill(kv: Kv): Promise<void> {
  await kv.setMany({ a: { name: "é", deep: [1, null, { x: true }] }, b: null, "😀": "text" });
  await kv.set("mortal", 1, { ttl: 60_000 });
  for (const element of [2, 3]) await kv.append("queue", { element });
  await kv.prepend("queue", "first");
  await kv.filter("bucket").add("item");
  await kv.filter("other").add("item", { ttl: 50_000 });
}

/** A fresh store with what is in the file. */
export async function restored(
  open: (serialization: "json") => Promise<Kv>,
  fileName: string,
): Promise<Kv> {
  const kv = await open("json");
  await kv.restore({ fileName });
  return kv;
}

async function filesBeside(fileName: string): Promise<string[]> {
  const names = await readdir(dirname(fileName));
  return names.filter((name) => name.startsWith(basename(fileName))).sort();
}

export const backupFamily: Family = {
  title: "backups",
  onePartition: ["a backup leaves claims behind, and takes nobody's away"],
  cases: {
    "a backup carries values, arrays and filters with their expiry": async (setting) => {
      const { kv, open, expect } = setting;
      await fill(kv);
      const fileName = scratchFile("all.kv");
      const { totalEntries } = await kv.backup({ fileName });
      expect(totalEntries).toBe(9);
      const other = await restored(open, fileName);
      expect(await contentOf(other)).toStrictEqual(await contentOf(kv));
      expect(await other.filter("other").contains("item")).toBe(true);
      expect(await other.filter("bucket").contains("none")).toBe(false);
    },

    "a backup has exactly its four fields": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const fileName = scratchFile("fields.kv");
      const strict = await kv.backup({ fileName });
      const bytesWritten = readFileSync(fileName).length;
      expect(strict).toStrictEqual({
        totalEntries: 1,
        bytesWritten,
        bestEffort: false,
        warning: "",
      });
      const loose = await kv.backup({ fileName, allowConcurrentWrites: true });
      expect(Object.keys(loose).sort()).toEqual(Object.keys(strict).sort());
      expect(loose.bestEffort).toBe(loose.warning !== "");
    },

    "two backups one after the other count the same": async ({ kv, expect }) => {
      await fill(kv);
      const fileName = scratchFile("twice.kv");
      const first = await kv.backup({ fileName });
      expect((await kv.backup({ fileName })).totalEntries).toBe(first.totalEntries);
    },

    "an empty store can be backed up and restored": async ({ kv, open, expect }) => {
      const fileName = scratchFile("empty.kv");
      expect((await kv.backup({ fileName })).totalEntries).toBe(0);
      const other = await open("json");
      await other.set("key", 1);
      expect(await other.restore({ fileName })).toStrictEqual({ totalEntries: 0 });
      expect(await other.size()).toBe(0);
    },

    "a backup leaves claims behind, and takes nobody's away": async ({ kv, open, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      const fileName = scratchFile("claims.kv");
      await kv.backup({ fileName });
      expect(await kv.renewClaim(claim, { ttl: 1_000 })).toBe(true);
      const other = await restored(open, fileName);
      expect(await other.releaseClaim(claim)).toBe(false);
      expect(granted(await other.claimKey("key")).token).toBe(claim.token + 1);
    },

    "a second backup to the same file is refused while the first goes on": async (setting) => {
      const { kv, expect } = setting;
      await kv.set("key", 1);
      const fileName = scratchFile("same.kv");
      const first = kv.backup({ fileName });
      await refusal(
        kv.backup({ fileName: join(dirname(fileName), ".", basename(fileName)) }),
        "BackupInProgressError",
      );
      const elsewhere = kv.backup({ fileName: scratchFile("elsewhere.kv") });
      expect((await first).totalEntries).toBe(1);
      expect((await elsewhere).totalEntries).toBe(1);
      expect((await kv.backup({ fileName })).totalEntries).toBe(1);
    },

    "a backup replaces the file as a whole, and leaves nothing beside it": async (setting) => {
      const { kv, expect } = setting;
      await kv.set("key", 1);
      const fileName = join(scratchFile("deep"), "deeper", "new.kv");
      await kv.backup({ fileName });
      writeFileSync(fileName, "something else");
      await kv.backup({ fileName });
      expect(readFileSync(fileName).length).toBeGreaterThan(1_000);
      expect(await filesBeside(fileName)).toEqual([basename(fileName)]);
    },

    "a backup onto a directory is refused": async ({ kv, expect }) => {
      const fileName = scratchFile("directory");
      mkdirSync(fileName);
      await refusal(kv.backup({ fileName }), "SnapshotExportError");
      expect(await readdir(fileName)).toEqual([]);
      expect(await filesBeside(fileName)).toEqual([basename(fileName)]);
    },

    "a backup below a file is refused": async ({ kv, expect }) => {
      const file = scratchFile("file");
      writeFileSync(file, "content");
      await refusal(kv.backup({ fileName: join(file, "below.kv") }), "SnapshotExportError");
      expect(readFileSync(file, "utf8")).toBe("content");
    },

    "an aborted backup leaves the file as it was": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("n", 3_000));
      const fileName = scratchFile("aborted.kv");
      writeFileSync(fileName, "content");
      await refusal(kv.backup({ fileName, signal: AbortSignal.abort() }), "OperationCanceledError");
      for (const phase of ["copy", "verify"]) {
        const controller = new AbortController();
        const onProgress = (progress: CopyProgress): void => {
          if (progress.phase === phase) controller.abort(new Error("enough"));
        };
        const { signal } = controller;
        const error = await refusal(
          kv.backup({ fileName, signal, onProgress }),
          "OperationCanceledError",
        );
        expect(error.message).toBe("operation was canceled: enough");
      }
      expect(readFileSync(fileName, "utf8")).toBe("content");
      expect(await filesBeside(fileName)).toEqual([basename(fileName)]);
      await kv.set("goes on", 1);
    },

    "progress of a backup ends with all rows, copied and read back": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("n", 3_000));
      const seen: CopyProgress[] = [];
      const fileName = scratchFile("progress.kv");
      await kv.backup({ fileName, onProgress: (progress) => seen.push(progress) });
      const copied = seen.findLast(({ phase }) => phase === "copy");
      expect(copied?.rows).toBe(copied?.totalRows);
      expect(seen.at(-1)).toStrictEqual({ phase: "verify", rows: 3_000, totalRows: 3_000 });
      for (const { rows, totalRows } of seen) expect(rows).toBeLessThanOrEqual(totalRows);
    },

    "what the listener of a backup throws ends it": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const fileName = scratchFile("thrown.kv");
      const onProgress = (): void => {
        throw new Error("no more");
      };
      const error = await refusal(kv.backup({ fileName, onProgress }), "UnknownError");
      expect(error.message).toContain("no more");
      expect(existsSync(fileName)).toBe(false);
    },
  },
};

export const snapshotFamily: Family = {
  title: "backups while others write",
  needs: "snapshots",
  cases: {
    "a backup holds what was there at its call, whatever is written meanwhile": async (setting) => {
      const { kv, open, expect } = setting;
      await kv.setMany(numberedEntries("n", 3_000));
      await fill(kv);
      const before = await contentOf(kv);
      const fileName = scratchFile("instant.kv");
      let round = 0;
      const storm = async (): Promise<void> => {
        await kv.setMany({ n0001: "changed", [`new${round}`]: round });
        await kv.deleteMany(["n2999", "b", `n${1_000 + round}`]);
        await kv.popFirst("queue");
        await kv.append("queue", "late");
        await kv.filter("bucket").add(`item ${round++}`);
        if (round === 8) await kv.clear();
      };
      const backup = kv.backup({ fileName });
      const storms = Array.from({ length: 12 }, storm);
      await Promise.all([backup, ...storms]);
      expect(await contentOf(await restored(open, fileName))).toStrictEqual(before);
      expect((await backup).totalEntries).toBe(3_009);
    },

    "a best-effort backup holds no key that came later": async ({ kv, open, expect }) => {
      await kv.setMany(numberedEntries("n", 2_000));
      await kv.append("queue", 1);
      const fileName = scratchFile("loose.kv");
      const backup = kv.backup({ fileName, allowConcurrentWrites: true });
      await kv.setMany({ n0000: "changed", later: 1 });
      await kv.append("queue", 2);
      await backup;
      const other = await restored(open, fileName);
      expect(await other.exists("later")).toBe(false);
      expect([0, "changed"]).toContain(await other.get("n0000"));
      expect(await other.size()).toBe(2_000);
      // Arrays are of one instant even then.
      expect(await other.range("queue")).toStrictEqual([1]);
    },
  },
};
