// The store on a server that others use, too.

import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import type { SnapshotRow } from "../../src/engine/snapshot.js";
import { tableNames } from "../../src/engine/tables.js";
import { Calls } from "../../src/remote/calls.js";
import { type Connection, LibraryError } from "../../src/remote/connection.js";
import { replace } from "../../src/remote/remote-replace.js";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { verifyPartition } from "../../src/remote/verify-partition.js";
import { check, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, theClient, useServer } from "./valkey-factory.js";
import { commandsOf } from "./verify-store.js";

function numbered(count: number): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `n${index}`, value: `${index}` }));
}

function rowOf(table: SnapshotRow["table"], key: string, value: string): SnapshotRow {
  return { table, key, value, deadline: Infinity, again: false };
}

async function rowsOf(store: RemoteStore): Promise<{ rows: SnapshotRow[]; isExact: boolean }> {
  const snapshot = await store.snapshot({ tables: tableNames, bestEffort: false });
  const rows: SnapshotRow[] = [];
  for (let some = await snapshot.next(100); some !== undefined; some = await snapshot.next(100)) {
    rows.push(...some);
  }
  return { rows, isExact: snapshot.isExact };
}

const pop = { end: "first", check } as const;
const wait = { ...pop, timeoutMs: undefined, signals: [] };

describeWith("a store on a server", lackOfAny(), () => {
  useServer(anyKind());

  test("touches no key of anybody else", () =>
    withPlace(1, async (store, place) => {
      const client = theClient();
      const foreign = ["suite:other", `suite:{${place.name}x:0}:v`, "k", `suite:${place.name}`];
      for (const key of foreign) await client.set(key, "theirs");
      await store.setMany({ entries: numbered(50), options: { ttl: 100 } });
      for (const end of ["first", "last"] as const) await store.push({ key: "q", value: "1", end });
      await store.addMember({ bucket: "b", item: "i" });
      await place.env.advance(100);
      await store.clear(undefined);
      await place.env.advance(1);
      const left = (await client.keys("*")).filter((key) => !/^suite:\{r\d+:0\}/.test(key));
      expect(left.sort()).toStrictEqual(foreign.sort());
      expect(await client.mget(...foreign)).toStrictEqual(foreign.map(() => "theirs"));
      // Of the store itself, only its numbers are left.
      const own = await client.keys(`suite:{${place.name}:0}:*`);
      expect(own.map((key) => key.split(":").at(-1)).sort()).toStrictEqual(["clock", "n"]);
      await client.del(...foreign);
    }));

  test("two stores share a server and see nothing of each other", () =>
    withPlace(1, (store) =>
      withPlace(1, async (other) => {
        await store.set({ key: "a", value: "1" });
        await other.set({ key: "a", value: "2" });
        await other.clear(undefined);
        expect(await store.get("a")).toBe("1");
        expect(await other.get("a")).toBeUndefined();
      }),
    ));

  test("a batch beyond the bound is refused before anything is sent", () =>
    withPlace(1, async (store) => {
      const entries = numbered(10_001);
      const keys = entries.map(({ key }) => key);
      const refused = { name: "InvalidOptionsError" };
      await expect(store.setMany({ entries })).rejects.toMatchObject(refused);
      await expect(store.deleteMany({ keys })).rejects.toMatchObject(refused);
      expect(await store.count("")).toBe(0);
      await store.setMany({ entries: entries.slice(1) });
      expect((await store.getMany(keys)).filter((value) => value !== undefined)).toHaveLength(
        10_000,
      );
      expect(
        new Set(await store.randomKeys({ prefix: "", count: 20_000, unique: true })).size,
      ).toBe(10_000);
      expect((await store.scan({ prefix: "", after: "", limit: 0 })).entries).toHaveLength(10_000);
    }));

  test("an array is handed from one client to another that waits for it", () =>
    withPlace(1, async (store, place) => {
      const other = await place.open();
      const waiting = other.popWait({ ...wait, key: "q" });
      await place.env.idle();
      await store.push({ key: "q", value: "1", end: "last" });
      await place.env.advance(50);
      expect(await waiting).toBe("1");
      expect(place.env.armedTimers).toBe(0);
    }));

  test("arrays that somebody waits for are looked at together", () =>
    withPlace(3, async (store, place) => {
      const callsSoFar = async (): Promise<number> =>
        Number(/cmdstat_fcall:calls=(\d+)/.exec(await theClient().info("commandstats"))?.[1]);
      const names = Array.from({ length: 2_000 }, (_, index) => `q${index}`);
      const waiting = names.map((key) => store.popWait({ ...wait, key }));
      await place.env.idle();
      const before = await callsSoFar();
      await place.env.advance(1_000);
      const polls = 1_000 / 5 + 10;
      expect((await callsSoFar()) - before).toBeLessThan(3 * polls);
      const other = await place.open();
      for (const key of names) void other.push({ key, value: `"${key}"`, end: "last" });
      await place.env.idle();
      await place.env.advance(50);
      expect(await Promise.all(waiting)).toStrictEqual(names.map((key) => `"${key}"`));
    }));

  test("a snapshot says whether anybody has written meanwhile", () =>
    withPlace(3, async (store) => {
      await store.setMany({ entries: numbered(300) });
      for (let element = 0; element < 5; element++) {
        await store.push({ key: "q", value: `${element}`, end: "last" });
      }
      const quiet = await rowsOf(store);
      expect(quiet.isExact).toBe(true);
      expect(quiet.rows.filter(({ table }) => table === "values")).toHaveLength(300);
      const snapshot = await store.snapshot({ tables: tableNames, bestEffort: false });
      await snapshot.next(1);
      await store.set({ key: "n7", value: "changed" });
      while ((await snapshot.next(100)) !== undefined) {}
      expect(snapshot.isExact).toBe(false);
    }));

  test("what one snapshot gives, another store takes", () =>
    withPlace(3, (store) =>
      withPlace(1, async (other) => {
        await store.setMany({ entries: numbered(100), options: { ttl: 5_000 } });
        for (let element = 0; element < 2_500; element++) {
          void store.push({ key: "q", value: `${element}`, end: "first" });
        }
        await store.addMember({ bucket: "b:1", item: "é", ttl: 9_000 });
        const { rows } = await rowsOf(store);
        const source = [rows];
        const counters = rows.filter(({ table }) => table === "counters");
        await other.replace({ next: () => source.shift(), pause: async () => {}, counters });
        expect((await rowsOf(other)).rows).toHaveLength(rows.length);
        expect(await other.range({ key: "q", start: 0, end: 3 })).toStrictEqual([
          ...["2499", "2498", "2497"],
        ]);
        expect(await other.ttl("n5")).toBe(5_000);
        expect(await other.containsMember({ bucket: "b:1", item: "é" })).toBe(true);
      }),
    ));

  test("a second restore is refused, unless the first one has fallen silent", () =>
    withPlace(1, async (store, place) => {
      await store.set({ key: "old", value: "1" });
      const row = rowOf("values", "new", "2");
      const restore = (pause: () => Promise<void>) => {
        const rows = [[row]];
        return store.replace({ next: () => rows.shift(), pause, counters: [] });
      };
      await restore(async () => {
        await expect(restore(async () => {})).rejects.toMatchObject({
          name: "RestoreInProgressError",
        });
        expect(await store.get("old")).toBe("1");
      });
      expect(await store.get("new")).toBe("2");
      const overtaken = restore(async () => {
        place.env.stall(60_000);
        await restore(async () => {});
      });
      await expect(overtaken).rejects.toMatchObject({ name: "RestoreInProgressError" });
      expect(await store.count("")).toBe(1);
    }));

  test("a restore that is given up leaves nothing behind", () =>
    withPlace(3, async (store, place) => {
      await store.set({ key: "old", value: "1" });
      const rows = [
        [rowOf("lists", "q", "7 0 2"), rowOf("items", "7:0", "1"), rowOf("items", "7:1", "2")],
        [rowOf("members", "1:bi", ""), rowOf("values", "new", "2")],
      ];
      const fail = async (): Promise<void> => {
        if (rows.length === 0) throw new Error("enough");
      };
      const restore = store.replace({ next: () => rows.shift(), pause: fail, counters: [] });
      await expect(restore).rejects.toThrow("enough");
      expect(await store.scanKeys({ prefix: "", after: "", limit: 0 })).toStrictEqual({
        keys: ["old"],
        done: true,
      });
      expect(await store.listArrays({ prefix: "", limit: 0 })).toStrictEqual([]);
      await store.clear(undefined);
      await place.env.advance(1);
      const left = await theClient().keys(`suite:{${place.name}:*`);
      expect(new Set(left.map((key) => key.split(":").at(-1)))).toStrictEqual(
        new Set(["clock", "n"]),
      );
    }));

  test("a restore that runs out of memory leaves nothing behind", () =>
    withPlace(2, async (store, place) => {
      const rows = [[rowOf("values", "new", "2")], [rowOf("values", "other", "2")]];
      const pause = () =>
        theClient()
          .config("SET", "maxmemory", 1)
          .then(() => {});
      try {
        const restore = store.replace({ next: () => rows.shift(), pause, counters: [] });
        await expect(restore).rejects.toThrow("OOM");
        expect(await theClient().keys(`suite:{${place.name}:*}:s:*`)).toStrictEqual([]);
        for (const partition of [0, 1]) {
          const numbers = `suite:{${place.name}:${partition}}:n`;
          expect(await theClient().hexists(numbers, "loading")).toBe(0);
        }
      } finally {
        await theClient().config("SET", "maxmemory", 0);
      }
    }));

  const manyRows = Array.from({ length: 30 }, (_, index) => rowOf("values", `new${index}`, "2"));

  test("a restore that has been lost in one partition changes over in none", () =>
    withPlace(3, async (store, place) => {
      await store.set({ key: "old", value: "1" });
      const rows = [manyRows];
      const pause = async (): Promise<void> => {
        await theClient().hdel(`suite:{${place.name}:2}:n`, "loading");
        // Until then its rows are not known to belong to anything.
        await theClient().unlink(...["v", "k", "f"].map((of) => `suite:{${place.name}:2}:s:${of}`));
      };
      const restore = store.replace({ next: () => rows.shift(), pause, counters: [] });
      await expect(restore).rejects.toMatchObject({ name: "RestoreInProgressError" });
      expect(await store.scanKeys({ prefix: "", after: "", limit: 0 })).toMatchObject({
        keys: ["old"],
      });
    }));

  test("a restore that is refused by one partition at the last moment says how far it came", async () => {
    let asked = 0;
    const connection: Connection = {
      partitions: 3,
      server: { description: "a server that refuses", isCluster: false },
      call: async ({ operation, partition }) => {
        if (operation !== "load_commit") return 1;
        asked++;
        if (partition === 1) throw new LibraryError("ANYKV_LOAD_LOST another load has taken over");
        return 1;
      },
      hasEnded: false,
      opened: async () => {},
      onReconnect: () => {},
      close: async () => {},
    };
    const calls = new Calls(connection, virtualEnv(), "json");
    const rows = [manyRows];
    const restore = replace(calls, {
      next: () => rows.shift(),
      pause: async () => {},
      counters: [],
    });
    await expect(restore).rejects.toMatchObject({
      name: "OutcomeUnknownError",
      message: expect.stringContaining("the restore has come to 2 of 3 partitions"),
      cause: { name: "RestoreInProgressError" },
    });
    expect(asked).toBe(3);
  });

  test("text of another serialization is looked at before it is handed out for good", () =>
    withPlace(1, async (store, place) => {
      const text = await place.open({ serialization: "string" });
      await text.setMany({
        entries: [
          { key: "a", value: "[1]" },
          { key: "b", value: "[1" },
        ],
      });
      expect(await store.fetchRemove({ key: "a", check })).toBe("[1]");
      await expect(store.fetchRemove({ key: "b", check })).rejects.toThrow(SyntaxError);
      await expect(store.swap({ key: "b", value: "1", check })).rejects.toThrow(SyntaxError);
      expect(await text.get("b")).toBe("[1");
    }));

  test("the verifier finds what does not fit together", () =>
    withPlace(1, async (store, place) => {
      const client = theClient();
      const tag = `suite:{${place.name}:0}`;
      const faults = () => verifyPartition(commandsOf(client), tag);
      await store.setMany({ entries: numbered(3), options: { ttl: 100 } });
      await store.push({ key: "q", value: "1", end: "last" });
      await store.addMember({ bucket: "b", item: "i", ttl: 100 });
      const lease = { ttl: 100, owner: "" };
      await store.claimKeys({ keys: ["n0"], allOrNothing: false, lease, check });
      expect(await faults()).toStrictEqual([]);
      const breakages: [undo: string[], ...change: string[]][] = [
        [["zadd", "k", "0", "n1"], "zrem", "k", "n1"],
        [["zrem", "f", "n0"], "zadd", "f", "0", "n0"],
        [["zadd", "f", "0", "n1"], "zrem", "f", "n1"],
        [["zadd", "k", "0", "n1"], "zadd", "k", "1", "n1"],
        [["zrem", "d", "x"], "zadd", "d", "5", "x"],
        [["hdel", "v", "q"], "hset", "v", "q", "j1"],
        [["hset", "v", "n1", "j1"], "hset", "v", "n1", "?1"],
        [["hset", "v", "n1", "j1"], "hset", "v", "n1", `j${"1".repeat(16_383)}`],
        [["hset", "c", "n0", "1 "], "hset", "c", "n0", "9 "],
        [["zrem", "e", "n1"], "zadd", "e", "5", "n1"],
        [["zrem", "a", "x"], "zadd", "a", "0", "x"],
        [["hset", "i", "q", "1"], "hset", "i", "q", "2"],
        [["zrem", "b", "x"], "zadd", "b", "5", "x"],
        [["zadd", "t", "0", "b"], "zrem", "t", "b"],
        [["zadd", "t", "0", "b"], "zadd", "t", "1", "b"],
        [["del", "l:9"], "rpush", "l:9", "j1"],
        [["del", "new"], "set", "new", "1"],
      ];
      for (const [undo, command = "", name, ...words] of breakages) {
        await client.call(command, `${tag}:${name}`, ...words);
        expect(await faults(), `${command} ${name}`).not.toStrictEqual([]);
        const [back = "", at, ...rest] = undo;
        await client.call(back, `${tag}:${at}`, ...rest);
        expect(await faults(), `${back} ${at}`).toStrictEqual([]);
      }
      await place.env.advance(100);
    }));
});
