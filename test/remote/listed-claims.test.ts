// Claims are listed on servers: few among many keys, more than one call lists, over partitions; and the
// functions of a served store list them in the same pages.

import { openKv } from "anykv";
import { serve } from "anykv/server";
import { describe, expect, test } from "vitest";
import { servedMemory } from "../server/functions/served.js";
import { describeWith, lackOf, startServer } from "./servers.js";

async function expectListed(url: string, name: string, partitions: number): Promise<void> {
  await using kv = openKv({ name, backend: "valkey", valkey: { url, partitions } });
  const keys = Array.from({ length: 3_000 }, (_, number) => `k${10_000 + number}`);
  await kv.setMany(Object.fromEntries(keys.map((key, number) => [key, number])));
  // Alone, side by side, and all of a stretch that is longer than a page.
  const claimed = keys.filter(
    (_, number) => number % 997 === 5 || (number >= 1_200 && number < 1_450),
  );
  for (const key of claimed) await kv.claimKey(key, { owner: `of ${key}`, ttl: 600_000 });
  const { claims, done, cursor } = await kv.listClaims();
  expect({ done, cursor }).toStrictEqual({ done: true, cursor: "" });
  expect(claims.map(({ key }) => key)).toStrictEqual(claimed);
  expect(claims.every(({ key, owner }) => owner === `of ${key}`)).toBe(true);

  const paged: string[] = [];
  for (let [at, more] = ["", true]; more; ) {
    const page = await kv.listClaims({ cursor: at, limit: 120 });
    paged.push(...page.claims.map(({ key }) => key));
    [at, more] = [page.cursor, !page.done];
  }
  expect(paged).toStrictEqual(claimed);
  const some = await kv.listClaims({ prefix: "k1129" });
  expect(some.claims.map(({ key }) => key)).toStrictEqual(
    claimed.filter((key) => key.startsWith("k1129")),
  );
  expect((await kv.listClaims({ prefix: "none" })).claims).toStrictEqual([]);

  const [first] = claims;
  expect(first !== undefined && (await kv.releaseClaim(first))).toBe(true);
  expect((await kv.listClaims()).claims).toHaveLength(claimed.length - 1);
}

describeWith("claims on a server are listed", lackOf("valkey"), () => {
  test.each([1, 3])("over %i partitions", async (partitions) => {
    const server = await startServer();
    try {
      await expectListed(server.url, `listed ${partitions}`, partitions);
    } finally {
      await server.stop();
    }
  });
});

describe("claims of a served store", () => {
  test("are listed as on a server", async () => {
    await using kv = openKv({ name: "listed", backend: "memory" });
    await using server = await serve(kv, { resp: { port: 0 }, storeName: "listed over" });
    await expectListed(server.address.resp?.url as string, "listed over", 1);
  });

  test("come in pages of the asked size, 100 at most", async () => {
    const { call } = servedMemory();
    await call("open", 1, 1, 0);
    const keys = Array.from({ length: 101 }, (_, number) => `k${100 + number}`);
    await call("set_many", "", "", ...keys.flatMap((key) => [key, "j1"]));
    await call("claim_keys", 1, 100, "a b", "j", 0, ...keys);
    const page = (await call("list_claims", "", "k105", 1)) as unknown[];
    expect(page).toStrictEqual([0, "k106", expect.any(String), "a b", expect.any(String)]);
    expect(await call("list_claims", "", "", 1_000)).toHaveLength(1 + 4 * 100);
    expect(await call("list_claims", "", "", 0)).toStrictEqual([0]);
    expect(await call("list_claims", "", "k200", 0)).toStrictEqual([1]);
    expect(await call("list_claims", "k2", "", 2)).toHaveLength(1 + 4);
  });
});
