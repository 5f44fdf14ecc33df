// Restores: what a file brings, what it ends, and that nothing changes when it cannot be read.

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import type { Kv } from "../../kv/kv.js";
import { scratchFile } from "../scratch-directory.js";
import { contentOf, fill, restored } from "./backups.js";
import { atOnce, type Family, granted, keyPages, numberedEntries, refusal } from "./suite-case.js";

async function backupOf(open: (serialization: "json") => Promise<Kv>, entries: object) {
  const fileName = scratchFile("source.kv");
  const kv = await open("json");
  await kv.setMany(entries);
  await kv.backup({ fileName });
  return fileName;
}

export const restoreFamily: Family = {
  title: "restores",
  cases: {
    "a restore replaces everything and merges nothing": async ({ kv, open, expect }) => {
      const fileName = await backupOf(open, { a: 1, b: 2 });
      await fill(kv);
      await kv.append("b2", 1);
      expect(await kv.restore({ fileName })).toStrictEqual({ totalEntries: 2 });
      expect(await contentOf(kv)).toStrictEqual(await contentOf(await restored(open, fileName)));
      expect(await kv.listKeys()).toEqual(["a", "b"]);
      expect(await kv.listArrays()).toEqual([]);
      expect(await kv.filter("bucket").size()).toBe(0);
    },

    "a restore ends claims, and tokens go on rising": async ({ kv, open, expect }) => {
      const fileName = await backupOf(open, { key: 1 });
      await kv.set("key", 0);
      await kv.releaseClaim(granted(await kv.claimKey("key")));
      const claim = granted(await kv.claimKey("key"));
      await kv.restore({ fileName });
      expect(await kv.completeClaim(claim)).toBe(false);
      await refusal(kv.set("key", 2, { claim }), "StaleClaimError");
      expect(granted(await kv.claimRandom()).token).toBeGreaterThan(claim.token);
      expect((await kv.stats()).claims.live).toBe(1);
    },

    "tokens of the store that was backed up are not granted again": async (setting) => {
      const { kv, open, expect } = setting;
      await kv.set("key", 1);
      let claim = granted(await kv.claimKey("key"));
      for (let round = 0; round < 5; round++) {
        await kv.releaseClaim(claim);
        claim = granted(await kv.claimKey("key"));
      }
      const fileName = scratchFile("tokens.kv");
      await kv.backup({ fileName });
      const other = await restored(open, fileName);
      expect(granted(await other.claimKey("key")).token).toBeGreaterThan(claim.token);
    },

    "arrays that come after a restore are apart from those that it brought": async (setting) => {
      const { kv, open, expect } = setting;
      for (const key of ["p", "q", "r"]) await kv.append(key, key);
      const fileName = scratchFile("arrays.kv");
      await kv.backup({ fileName });
      const other = await open("json");
      await other.append("old", 0);
      await other.restore({ fileName });
      for (const key of ["s", "t", "u", "v"]) await other.append(key, key);
      await other.append("p", "more");
      for (const key of ["q", "r", "s", "t", "u", "v"]) {
        expect(await other.range(key)).toEqual([key]);
      }
      expect(await other.range("p")).toEqual(["p", "more"]);
      expect(await other.exists("old")).toBe(false);
    },

    "a restored pool hands out each key once, and is paged in order": async (setting) => {
      const { kv, open, expect } = setting;
      const entries = numberedEntries("k", 300);
      const fileName = await backupOf(open, entries);
      await kv.setMany({ gone: 1, k5: 1 });
      // The indexes are in use before.
      await kv.claimRandom();
      await kv.scanKeys({ limit: 1 });
      await kv.restore({ fileName });
      expect((await keyPages(kv, 70)).flat()).toEqual(Object.keys(entries));
      expect(await kv.count({ prefix: "k1" })).toBe(100);
      const claims = await kv.claimRandomMany({ count: 1_000 });
      expect(new Set(claims.map(({ key }) => key)).size).toBe(300);
      expect(await kv.claimRandom()).toBeNull();
    },

    "waiting pops are served by the arrays that a restore brings": async (setting) => {
      const { kv, open, expect } = setting;
      for (const element of [1, 2]) await kv.append("queue", element);
      const fileName = scratchFile("waiting.kv");
      await kv.backup({ fileName });
      const other = await open("json");
      const waiting = [other.popFirstWait("queue"), other.popWait("queue")];
      await other.size();
      await other.restore({ fileName });
      expect(await Promise.all(waiting)).toEqual([1, 2]);
      expect(await other.exists("queue")).toBe(false);
    },

    "a restore holds to maxEntries and maxBytes, and changes nothing beyond": async (setting) => {
      const { kv, open, expect } = setting;
      await kv.setMany({ ab: "12", c: 3 });
      await kv.append("q", "é");
      await kv.filter("bucket").add("item");
      const fileName = scratchFile("bounded.kv");
      await kv.backup({ fileName });
      const other = await open("json");
      await other.set("old", 1);
      const claim = granted(await other.claimKey("old"));
      // Keys and values as JSON, the array's key and its element, the item as it is kept.
      const bytes = 2 + 4 + (1 + 1) + (1 + 4) + "6:buckettitem".length;
      const beyond = [{ maxEntries: 3 }, { maxBytes: bytes - 1 }, { maxEntries: 9, maxBytes: 1 }];
      for (const bounds of beyond) {
        await refusal(other.restore({ fileName, ...bounds }), "SnapshotBudgetExceededError");
      }
      expect(await other.list()).toStrictEqual([{ key: "old", value: 1 }]);
      expect(await other.renewClaim(claim, { ttl: 60_000 })).toBe(true);
      const within = [{ maxEntries: 4 }, { maxBytes: bytes }, { maxEntries: 0, maxBytes: -1 }];
      for (const bounds of within) {
        expect(await other.restore({ fileName, ...bounds })).toStrictEqual({ totalEntries: 4 });
      }
    },

    "a restore of what is no backup is refused and changes nothing": async ({ kv, expect }) => {
      await fill(kv);
      const before = await contentOf(kv);
      const claim = granted(await kv.claimKey("a"));
      for (const [make, name] of notBackups) {
        const fileName = scratchFile("none");
        make(fileName);
        await refusal(kv.restore({ fileName }), name);
      }
      expect(await contentOf(kv)).toStrictEqual(before);
      expect(await kv.releaseClaim(claim)).toBe(true);
    },

    "a restore of a backup that has been cut is refused and changes nothing": async (setting) => {
      const { kv, open, expect } = setting;
      const fileName = await backupOf(open, numberedEntries("n", 2_000));
      await kv.set("old", 1);
      const { length } = readFileSync(fileName);
      for (const part of [0.9, 0.5, 0.1]) {
        truncateSync(fileName, Math.floor(length * part));
        await refusal(kv.restore({ fileName }), "SnapshotIOError");
      }
      expect(await kv.list()).toStrictEqual([{ key: "old", value: 1 }]);
    },

    "an aborted restore leaves data and claims as they were": async ({ kv, open, expect }) => {
      const fileName = await backupOf(open, numberedEntries("n", 3_000));
      await kv.set("old", 1);
      const claim = granted(await kv.claimKey("old"));
      const signal = AbortSignal.abort();
      await refusal(kv.restore({ fileName, signal }), "OperationCanceledError");
      const controller = new AbortController();
      const aborted = kv.restore({
        fileName,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      });
      await refusal(aborted, "OperationCanceledError");
      const failing = kv.restore({
        fileName,
        onProgress: () => {
          throw new Error("no more");
        },
      });
      await refusal(failing, "UnknownError");
      expect(await kv.listKeys()).toEqual(["old"]);
      expect(await kv.completeClaim(claim)).toBe(true);
    },

    "writes during a restore are refused, or were before it, and reads go on": async (setting) => {
      const { kv, open, expect } = setting;
      const fileName = await backupOf(open, numberedEntries("n", 3_000));
      await kv.set("old", 1);
      const restore = kv.restore({ fileName });
      const writes = await atOnce(200, async (index) => {
        for (let turn = 0; turn < index; turn++) await null;
        const [{ exists = false } = {}] = await kv.getMany(["old"]);
        const [{ exists: isNew = false } = {}] = await kv.getMany(["n0001"]);
        expect(exists || isNew).toBe(true);
        return kv.set("written", index).then(
          () => "written",
          (error: Error) => error.name,
        );
      });
      await restore;
      for (const outcome of writes)
        expect(["written", "RestoreInProgressError"]).toContain(outcome);
      const size = await kv.size();
      expect(size === 3_000 || size === 3_001).toBe(true);
      expect(await kv.exists("old")).toBe(false);
      await kv.set("after", 1);
    },

    "string and bytes stores come back as they were": async ({ open, expect }) => {
      const [text, bytes] = [await open("string"), await open("bytes")];
      await text.setMany({ a: "", b: "no JSON {", c: "\0\u0001", d: "5" });
      await text.incrementBy("d", 1);
      await bytes.setMany({
        a: new Uint8Array(),
        b: Uint8Array.of(0, 1, 2, 255),
        c: Uint8Array.of(2),
      });
      await bytes.append("q", Uint8Array.of(3));
      await bytes.set("mortal", Uint8Array.of(4), { ttl: 60_000 });
      for (const [kv, mode] of [
        [text, "string"],
        [bytes, "bytes"],
      ] as const) {
        const fileName = scratchFile(mode);
        await kv.backup({ fileName });
        const other = await open(mode);
        await other.restore({ fileName });
        expect(await contentOf(other)).toStrictEqual(await contentOf(kv));
      }
    },
  },
};

const notBackups: readonly [make: (path: string) => void, error: string][] = [
  [() => {}, "SnapshotNotFoundError"],
  [(path) => mkdirSync(path), "SnapshotIOError"],
  [(path) => writeFileSync(path, ""), "SnapshotIOError"],
  [(path) => writeFileSync(path, '{"key":"a","value":1}\n'), "SnapshotIOError"],
  [(path) => writeFileSync(path, Buffer.alloc(70_000)), "SnapshotIOError"],
  [(path) => writeFileSync(path, Buffer.alloc(300_000, 0xbe)), "SnapshotIOError"],
];

export const restoreTimeFamily: Family = {
  title: "backups and time",
  needs: "virtual clock",
  cases: {
    "what has expired stays behind, and the rest expires when it would have": async (setting) => {
      const { kv, env, open, expect } = setting;
      await kv.setMany({ early: 1, late: 2 });
      await kv.expire("early", 1_000);
      await kv.expire("late", 5_000);
      for (let element = 0; element < 40; element++) await kv.append("gone", element);
      await kv.expire("gone", 1_000);
      for (let element = 0; element < 40; element++) await kv.append("deleted", element);
      await kv.filter("bucket").add("early", { ttl: 1_000 });
      await kv.filter("bucket").add("late", { ttl: 5_000 });
      await kv.deleteArray("deleted");
      env.stall(1_000);
      const fileName = scratchFile("time.kv");
      expect((await kv.backup({ fileName })).totalEntries).toBe(2);
      await env.advance(3_000);
      const other = await open("json");
      expect(await other.restore({ fileName })).toStrictEqual({ totalEntries: 2 });
      expect(await other.ttl("late")).toBe(1_000);
      expect(await other.exists("gone")).toBe(false);
      await env.advance(1_000);
      expect(await other.size()).toBe(0);
      expect(await other.filter("bucket").size()).toBe(0);
      // What has expired in the file meanwhile is not brought either.
      expect(await other.restore({ fileName })).toStrictEqual({ totalEntries: 0 });
    },
  },
};
