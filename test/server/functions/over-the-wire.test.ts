// Handles with the backend `valkey` on the RESP door of a store of this process, over real sockets.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { serve } from "anykv/server";
import { Redis } from "iovalkey";
import { describe, expect, test } from "vitest";

interface Wire {
  /** The served store itself. */
  readonly own: Kv;
  readonly url: string;
  /** Under which it is known to clients. */
  readonly name: string;
  /** One more handle on the door. */
  remote(options?: { name?: string; serialization?: "json" | "string" }): Kv;
}

type Backend = "memory" | "wal" | "disk";
let stores = 0;

async function withWire(backend: Backend, body: (wire: Wire) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "anykv-wire-"));
  const path = join(directory, "store");
  const own = openKv(
    backend === "memory"
      ? { backend, name: `wire ${++stores}` }
      : backend === "wal"
        ? { backend, name: `wire ${++stores}`, path, wal: { syncWrites: true } }
        : { backend, name: `wire ${++stores}`, path },
  );
  const served = `served ${stores}`;
  const server = await serve(own, { resp: { port: 0 }, storeName: served });
  const url = server.address.resp?.url as string;
  const remotes: Kv[] = [];
  const remote = ({
    name: storeName = served,
    serialization = "json",
  }: Parameters<Wire["remote"]>[0] = {}) => {
    const handle = openKv({
      backend: "valkey",
      serialization,
      name: storeName,
      valkey: { url },
    });
    remotes.push(handle);
    return handle;
  };
  try {
    await body({ own, url, name: served, remote });
  } finally {
    await Promise.all(remotes.map((handle) => handle.close()));
    await server.close();
    await own.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const backend of ["memory", "wal", "disk"] satisfies Backend[]) {
  describe(`a door to a store in ${backend}`, () => {
    test("carries the calls of several handles at once, each of them once", () =>
      withWire(backend, async ({ own, remote }) => {
        const kv = remote();
        const entries = Array.from({ length: 100 }, (_, index) => [`k${index}`, { index }]);
        await kv.setMany(Object.fromEntries(entries));
        await Promise.all(Array.from({ length: 200 }, () => kv.incrementBy("counter", 1)));
        expect(await own.get("counter")).toBe(200);
        const claims = await Promise.all(
          Array.from({ length: 100 }, () => kv.claimRandom({ prefix: "k" })),
        );
        expect(new Set(claims.map((claim) => claim?.key)).size).toBe(100);
        expect(await own.claimRandom({ prefix: "k" })).toBeNull();
        const done = await Promise.all(
          claims.map((claim) => claim && kv.completeClaim(claim, { deleteKey: true })),
        );
        expect(done).not.toContain(false);
        expect(await own.count({ prefix: "k" })).toBe(0);
      }));

    test("gives elements to those who wait, here and there", () =>
      withWire(backend, async ({ own, remote }) => {
        const kv = remote();
        await kv.size();
        const here = own.popFirstWait("queue");
        await own.size();
        await kv.append("queue", "from there");
        expect(await here).toBe("from there");
        const there = kv.popFirstWait("queue");
        await own.append("queue", "from here");
        expect(await there).toBe("from here");
      }));

    test("gives a range of several pages as it was at one moment, whoever writes", () =>
      withWire(backend, async ({ remote }) => {
        const [kv, writer] = [remote(), remote()];
        const size = 2_500;
        const first = Array.from({ length: size }, (_, index) => kv.append("queue", index));
        await Promise.all(first);
        let isOver = false;
        const writing = (async () => {
          for (let next = size; !isOver; next++) {
            await writer.append("queue", next);
            await writer.popFirst("queue");
            await writer.set("other", next);
          }
        })();
        for (let round = 0; round < 5; round++) {
          const found = (await kv.range("queue")) as number[];
          const from = found[0] as number;
          expect([size, size + 1]).toContain(found.length);
          expect(found).toStrictEqual(found.map((_, index) => from + index));
        }
        isOver = true;
        await writing;
      }));

    test("carries backups and restores", () =>
      withWire(backend, async ({ own, remote }) => {
        const kv = remote();
        await own.setMany({ a: 1, b: { c: [2] } });
        for (let index = 0; index < 40; index++) await own.append("q", index);
        await own.filter("f").add("item");
        const directory = mkdtempSync(join(tmpdir(), "anykv-wire-"));
        const fileName = join(directory, "backup.kv");
        expect(await kv.backup({ fileName })).toMatchObject({ totalEntries: 43, warning: "" });
        await kv.clear();
        expect(await own.size()).toBe(0);
        await kv.restore({ fileName });
        expect(await own.list()).toStrictEqual([
          { key: "a", value: 1 },
          { key: "b", value: { c: [2] } },
        ]);
        expect(await own.range("q", 38)).toStrictEqual([38, 39]);
        expect(await own.filter("f").contains("item")).toBe(true);
        rmSync(directory, { recursive: true, force: true });
      }));
  });
}

test("whoever opens another store, or in another way, is told so", () =>
  withWire("memory", async ({ name, remote }) => {
    await expect(remote({ name: "other" }).size()).rejects.toMatchObject({
      name: "InvalidOptionsError",
      message: `the server serves one store, which is named "${name}" and has the prefix "anykv"`,
      hint: `open it with \`name: "${name}"\`, in an URL for a command with ?name=${encodeURIComponent(name)}`,
    });
  }));

test("functions stand in transactions and pipelines of other clients", () =>
  withWire("wal", async ({ own, name, url }) => {
    const client = new Redis(url);
    const key = `anykv:{${name}:0}:v`;
    const replies = await client
      .multi()
      .set("a", "1")
      .call("FCALL", "anykv_increment", "1", key, "a", "41")
      .get("a")
      .exec();
    expect(replies).toStrictEqual([
      [null, "OK"],
      [null, "42"],
      [null, "42"],
    ]);
    const mixed = await Promise.allSettled([
      client.call("FCALL", "anykv_push", "1", key, "a", "last", "j1"),
      client.call("FCALL", "anykv_set", "1", key, "b", "t1"),
      client.call("FCALL", "anykv_set_many", "1", key, "", "", "b", "j1", "c", "j2"),
      client.call("FCALL", "anykv_get_many", "1", key, "b", "c"),
      client.call("FCALL_RO", "anykv_get", "1", key, "b"),
      client.call("FUNCTION", "LOAD", "#!lua name=anykv_0123456789\nreturn 1"),
    ]);
    expect(
      mixed.map((each) => (each.status === "fulfilled" ? each.value : each.reason.message)),
    ).toStrictEqual([
      "ANYKV_WRONG_TYPE value 61",
      "ANYKV_SERIALIZATION json",
      2,
      ["j1", "j2"],
      "j1",
      "anykv_0123456789",
    ]);
    expect(await own.get("b")).toBe(1);
    client.disconnect();
  }));
