// All data are lost under an open store: whoever writes next makes the store again, as it was.

import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { describeWith, lackOfAny, type Server, startServer } from "./servers.js";

const lack = lackOfAny();
let server: Server;
let kv: Kv;

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());
afterEach(() => kv?.close());

const open = (partitions: number, retryWrites = false): Kv =>
  openKv({
    backend: "valkey",
    name: "lost",
    valkey: { port: server.port, partitions, retryWrites },
  });

const writes: Record<string, (store: Kv) => Promise<unknown>> = {
  set: (store) => store.set("key", 1),
  setMany: (store) => store.setMany({ key: 1, other: 2 }),
  incrementBy: (store) => store.incrementBy("key", 1),
  append: (store) => store.append("key", 1),
  "add to a filter": (store) => store.filter("key").add("item"),
  delete: (store) => store.delete("key"),
  clear: (store) => store.clear(),
};

describeWith("under a store that is open, all data are lost", lack, () => {
  beforeEach(() => server?.cli("flushall"));

  for (const retryWrites of [false, true]) {
    for (const partitions of [1, 3]) {
      test.each(Object.entries(writes))(
        `%s writes the header again (${partitions} partitions, retryWrites ${retryWrites})`,
        async (_, write) => {
          kv = open(partitions, retryWrites);
          await kv.set("before", 1);
          await server.cli("flushall");
          await write(kv);
          const headers = Array.from({ length: partitions }, (_, partition) =>
            server.cli("hmget", `anykv:{lost:${partition}}:n`, "layout", "partitions"),
          );
          expect(await Promise.all(headers)).toStrictEqual(
            Array.from({ length: partitions }, () => `1\n${partitions}`),
          );
          await kv.close();
          kv = open(4, retryWrites);
          await expect(kv.get("key")).rejects.toMatchObject({
            name: "InvalidOptionsError",
            message: expect.stringContaining(`the store has ${partitions} partition`),
          });
        },
      );
    }
  }

  test("what was acknowledged afterwards is found by who comes later", async () => {
    kv = open(1);
    await kv.set("before", 1);
    await server.cli("flushall");
    expect(await kv.find("before")).toBeUndefined();
    await kv.set("after", 1);
    await kv.append("queue", 1);
    await kv.close();
    kv = open(1);
    expect(await kv.get("after")).toBe(1);
    expect(await kv.length("queue")).toBe(1);
  });
});
