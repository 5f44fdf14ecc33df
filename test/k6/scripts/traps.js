// What the scripts of the seeds trip over, by its number in the contract: shapes, values, claims,
// deletion and paging.

import { openKv } from "./k6.js";
import { holds, prove, rejects, same } from "./proof.js";

const trackKeys = __ENV.TRACK_KEYS === "true";
const serialization = __ENV.SERIALIZATION ?? "json";
const isJson = serialization === "json";
const kv = openKv({ backend: __ENV.BACKEND, trackKeys, serialization });

const keysOf = (object) => Object.keys(object).sort().join();

const shapes = {
  "1 numbers of fields": async () => {
    same(keysOf(await kv.setMany({ a: 1, b: 2 })), "written");
    same(keysOf(await kv.getOrSet("c", 1)), "loaded,value");
    same(keysOf(await kv.swap("c", 2)), "loaded,previous");
    same(keysOf(await kv.compareAndSwapDetailed("c", 9, 9)), "existed,reason,swapped");
    const withCurrent = { includeCurrentOnMismatch: true };
    same(
      keysOf(await kv.compareAndSwapDetailed("c", 9, 9, withCurrent)),
      "current,existed,reason,swapped",
    );
    same(keysOf(await kv.scan()), "cursor,done,entries");
    same(keysOf(await kv.scanKeys()), "cursor,done,keys");
    same(keysOf((await kv.list())[0]), "key,value");
    same(keysOf(await kv.claimKeys(["a"])), "busy,claimed,missing");
  },
  "2 current and existed": async () => {
    await kv.set("k", 1);
    same(await kv.compareAndSwapDetailed("k", 1, 2), { swapped: true, reason: "swapped" });
    same(await kv.compareAndDeleteDetailed("k", 2), { deleted: true, reason: "deleted" });
    const missing = await kv.compareAndSwapDetailed("k", 1, 2, { includeCurrentOnMismatch: true });
    same(missing, { swapped: false, reason: "mismatch", existed: false });
  },
  "3 getMany items own a value": async () => {
    await kv.set("null", isJson ? null : "x");
    const [first, second] = await kv.getMany(["null", "", "missing"]);
    same(
      [first.exists, second.exists, second.value, Object.hasOwn(second, "value")],
      [true, false, null, true],
    );
  },
  "4 real arrays of one's own": async () => {
    await kv.set("k", isJson ? { n: 1 } : "1");
    const [entry] = await kv.list();
    holds(Array.isArray(await kv.list()) && Array.isArray((await kv.scan()).entries), "no array");
    entry.value = "changed";
    same((await kv.list())[0].value, isJson ? { n: 1 } : "1");
  },
  "5 no match": async () => {
    const prefix = "none:";
    const options = { prefix, count: 3 };
    same(
      [
        await kv.randomKey({ prefix }),
        await kv.popRandom({ prefix }),
        await kv.claimRandom({ prefix }),
      ],
      ["", null, null],
    );
    same([await kv.claimKey("none:1"), await kv.randomKeys(options)], [null, []]);
    same([await kv.popRandomMany(options), await kv.claimRandomMany(options)], [[], []]);
  },
};

const values = {
  "7 read, spread, swap": async () => {
    if (!isJson) return;
    await kv.set("k", { b: 1, a: { d: 1, c: [1] } });
    const read = await kv.get("k");
    holds(
      await kv.compareAndSwap("k", { a: { c: [1], d: 1 }, b: 1 }, { ...read, x: 1 }),
      "no swap",
    );
    holds(await kv.compareAndSwap("k", await kv.get("k"), "end"), "no second swap");
  },
  "8 stored null": async () => {
    if (!isJson) return;
    await kv.setMany({ a: null, b: null });
    same(
      [await kv.compareAndDelete("a", null), await kv.compareAndDelete("b", undefined)],
      [true, true],
    );
    await kv.set("c", null);
    same(await kv.compareAndSwapDetailed("c", null, 1), {
      swapped: false,
      reason: "mismatch",
      existed: true,
    });
  },
  "9 cyclic new value": async () => {
    const cyclic = {};
    cyclic.self = cyclic;
    await rejects(kv.compareAndSwap("k", null, cyclic), "SerializerError");
  },
  "10 all kinds of values": async () => {
    if (!isJson) return;
    const all = [
      true,
      false,
      0,
      -1,
      1.5,
      -0.25,
      1e21,
      [],
      {},
      [[{ a: [null] }]],
      "emoji 😀",
      "日本語",
      "кириллица",
      "",
      "\u0000\u2028",
    ];
    await kv.setMany(Object.fromEntries(all.map((value, index) => [`v${index + 10}`, value])));
    same(
      (await kv.list({ prefix: "v" })).map(({ value }) => value),
      all,
    );
    same(
      (await kv.scan({ prefix: "v" })).entries.map(({ value }) => value),
      all,
    );
    await kv.set("ключ 😀", "😀");
    same(await kv.listKeys({ prefix: "ключ" }), ["ключ 😀"]);
  },
  "11 setMany with a function": async () => {
    if (!isJson) return;
    const error = await rejects(
      kv.setMany({ ok: 1, bad: () => 1 }),
      "InvalidOptionsError",
      "setMany validation failed: 1 invalid entry",
    );
    same(
      [error.errors[0].key, error.errors[0].name, await kv.exists("ok")],
      ["bad", "SerializerError", false],
    );
  },
  "12 counters": async () => {
    await kv.set("t", "41");
    same(await kv.incrementBy("t", 1), 42);
    same(await kv.get("t"), isJson ? 42 : "42");
    await kv.set("f", "1.5");
    await rejects(kv.incrementBy("f", 1), "ValueParseError");
    await kv.set("max", "9223372036854775807");
    await rejects(kv.incrementBy("max", 1), "ValueParseError", "integer overflow");
    same(await kv.get("max"), "9223372036854775807");
    same(await kv.incrementBy("safe", Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
    for (const delta of [null, "123", NaN, Infinity, -Infinity, 1e20, 1.5, true]) {
      await rejects(kv.incrementBy("n", delta), "ValueNumberRequiredError");
    }
  },
  "13 32 increments at once": async () => {
    await kv.getOrSet("n", 0);
    const numbers = await Promise.all(Array.from({ length: 32 }, () => kv.incrementBy("n", 1)));
    same(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 32 }, (_, index) => index + 1),
    );
  },
};

const claims = {
  "14 the old claim": async () => {
    await kv.set("k", 1);
    const old = await kv.claimKey("k");
    holds(await kv.releaseClaim(old), "not released");
    const fresh = await kv.claimKey("k");
    same([await kv.releaseClaim(old), await kv.completeClaim(old)], [false, false]);
    same(
      [await kv.exists("k"), await kv.completeClaim(fresh), await kv.exists("k")],
      [true, true, false],
    );
  },
  "15 expired and unknown claims": async () => {
    await kv.set("k", 1);
    const claim = await kv.claimKey("k", { ttl: 5 });
    while (Date.now() < claim.expiresAt + 15) await kv.exists("k");
    same(await kv.renewClaim(claim, { ttl: 1000 }), false);
    same(
      [
        await kv.releaseClaim({ ...claim, token: 99 }),
        await kv.releaseClaim({ ...claim, id: "x" }),
      ],
      [false, false],
    );
  },
  "16 to 18 renewal, deletion, pops": async () => {
    await kv.setMany({ a: 1, b: 2 });
    const claim = await kv.claimKey("a");
    holds(await kv.renewClaim(claim, { ttl: 60_000 }), "not renewed");
    same(
      (await kv.popRandomMany({ count: 5 })).map(({ key }) => key),
      ["b"],
    );
    holds(await kv.releaseClaim(claim), "not released");
    const second = await kv.claimKey("a");
    same(await kv.deleteMany(["a", "x"]), { deleted: 1, missing: 1 });
    same(await kv.releaseClaim(second), false);
  },
  "19 the default lease": async () => {
    await kv.set("k", 1);
    const left = (await kv.claimRandom()).expiresAt - Date.now();
    holds(left > 25_000 && left < 30_500, `${left} ms`);
  },
  "20 all or nothing": async () => {
    await kv.setMany({ a: 1, b: 2, c: 3 });
    const held = await kv.claimKey("b");
    same(await kv.claimKeys(["a", "b", "c"], { allOrNothing: true }), {
      claimed: [],
      busy: ["b"],
      missing: [],
    });
    const { claimed, busy, missing } = await kv.claimKeys(["c", "b", "x", "a"]);
    same([claimed.map(({ key }) => key), busy, missing], [["c", "a"], ["b"], ["x"]]);
    await kv.releaseClaim(held);
  },
  "21 and 22 batches and pools": async () => {
    await kv.setMany({ "p:a": 1, "p:b": 2, "p:c": 3 });
    const both = await kv.claimRandomMany({ prefix: "p:", count: 2 });
    same(await kv.allocationStats({ prefix: "p:" }), {
      ...{ prefix: "p:", total: 3, claimable: 1, claimedLive: 2, claimedExpired: 0 },
      ...{ backend: "valkey", trackKeys },
    });
    const [claim] = both;
    const released = await kv.releaseClaims([claim, claim]);
    same(
      [released.attempted, released.released, released.failed[0].index, released.failed[0].name],
      [2, 1, 1, "ClaimNotUpdated"],
    );
    same(await kv.completeClaims([]), { attempted: 0, completed: 0, failed: [] });
    same(await kv.renewClaims([], { ttl: 1 }), { attempted: 0, renewed: 0, failed: [] });
    same([(await kv.allocationStats()).prefix, (await kv.allocationStats()).claimable], ["", 2]);
  },
};

const paging = {
  "23 and 24 deletions": async () => {
    await kv.setMany({ a: 1, b: 2, "p:1": 1, "p:2": 2, "p:3": 3, q: 1 });
    same(await kv.deleteMany(["a", "missing", "b", "a"]), { deleted: 2, missing: 2 });
    same(await kv.deleteByPrefix({ prefix: "p:", limit: 2 }), { deleted: 2, done: false });
    same(await kv.deleteByPrefix({ prefix: "p:", limit: 2 }), { deleted: 1, done: true });
    same(
      [await kv.deleteByPrefix({ prefix: "x:", limit: 2 }), await kv.listKeys()],
      [{ deleted: 0, done: true }, ["q"]],
    );
  },
  "25 and 26 pages": async () => {
    await kv.setMany({ a: 1, b: 2, c: 3, d: 4 });
    const first = await kv.scanKeys({ limit: 2 });
    const again = await Promise.all(
      [1, 2, 3].map(() => kv.scanKeys({ limit: 2, cursor: first.cursor })),
    );
    for (const page of again) same(page, { keys: ["c", "d"], cursor: "", done: true });
    same(await kv.listKeys({ limit: 0 }), ["a", "b", "c", "d"]);
    await rejects(kv.scan({ cursor: "%%%not-base64-cursor%%%" }), "InvalidCursorError");
    await rejects(kv.scan({ cursor: 1 }), "InvalidOptionsError");
  },
  "27 one winner": async () => {
    await kv.set("k", "first");
    const deleted = await Promise.all(Array.from({ length: 12 }, () => kv.deleteIfExists("k")));
    same(deleted.filter(Boolean).length, 1);
    const swapped = await Promise.all(Array.from({ length: 24 }, (_, n) => kv.swap("k", n)));
    same(swapped.filter(({ loaded }) => !loaded).length, 1);
  },
  "34 options of files": async () => {
    await rejects(kv.exportJSONL({ fileName: "   " }), "InvalidOptionsError");
    await rejects(
      kv.importCSV({ fileName: "f", keyColumn: "k", delimiter: ";;" }),
      "InvalidOptionsError",
    );
    await rejects(kv.importJSONL({ fileName: "f", limit: 1.5 }), "InvalidOptionsError");
    await rejects(kv.importJSONL({ fileName: "f", batchSize: 1.5 }), "InvalidOptionsError");
    await rejects(kv.exportCSV({ fileName: "f", columns: [] }), "InvalidOptionsError");
    if (__ENV.FILES === "true") return;
    await rejects(kv.backup(), "BackendUnavailableError", "backup");
    await rejects(kv.validateCSV({ fileName: "f" }), "BackendUnavailableError");
  },
  "keys that are none": async () => {
    for (const key of ["", null, undefined, 1, "\ud800", "x".repeat(2000)]) {
      await rejects(kv.get(key), "InvalidOptionsError");
      await rejects(kv.set(key, 1), "InvalidOptionsError");
    }
    await rejects(kv.get("missing"), "KeyNotFoundError");
  },
};

export default async function () {
  for (const family of [shapes, values, claims, paging]) {
    const proofs = Object.entries(family).map(([title, proof]) => [
      title,
      async () => {
        await kv.clear();
        await proof();
      },
    ]);
    await prove(Object.fromEntries(proofs));
  }
}
