// Fencing tokens by the clock of a real server: whatever state it goes back to, no token is granted
// again, so that who held a claim before is refused.

import { type Claim, type Kv, openKv } from "anykv";
import type { Redis } from "iovalkey";
import { expect, test } from "vitest";
import { partitionsMax } from "../../src/base/limits.js";
import { libraryWith } from "../../src/remote/library.js";
import { plainClient } from "./plain-connection.js";
import { describeWith, lackOfAny, type Server, startServer, until } from "./servers.js";

const lease = { ttl: 60_000 };
const { name: library } = libraryWith("server");

function open({ port }: Server, partitions: number): Kv {
  return openKv({ backend: "valkey", name: "tokens", valkey: { port, partitions } });
}

async function claim(kv: Kv): Promise<Claim> {
  const found = await kv.claimKey("job", lease);
  if (found === null) throw new Error("the job is not free");
  return found;
}

/** A job that has been claimed and released: its partition has granted a token. */
async function prepare(server: Server, partitions: number): Promise<void> {
  await using kv = open(server, partitions);
  await kv.set("job", 1);
  await kv.releaseClaim(await claim(kv));
}

async function claimOnce(server: Server, partitions: number): Promise<Claim> {
  await using kv = open(server, partitions);
  return await claim(kv);
}

/** On a server that knows nothing of `lost`. */
async function expectFenced(server: Server, partitions: number, lost: Claim): Promise<void> {
  await using kv = open(server, partitions);
  const next = await claim(kv);
  expect(next.token).toBeGreaterThan(lost.token);
  expect(next.token % partitions).toBe(lost.token % partitions);
  await expect(kv.set("job", "late", { claim: lost })).rejects.toMatchObject({
    name: "StaleClaimError",
  });
  expect(await kv.completeClaim(lost)).toBe(false);
  expect(await kv.get("job")).toBe(1);
  await kv.set("job", 2, { claim: next });
  expect(await kv.completeClaim(next)).toBe(true);
}

describeWith("tokens are not granted again", lackOfAny(), () => {
  test.each([1, 3])(
    "by a server that was started from an older file, in %i partitions",
    async (partitions) => {
      let server = await startServer();
      const { directory } = server;
      try {
        await prepare(server, partitions);
        await server.cli("save");
        const lost = await claimOnce(server, partitions);
        await server.stop({ keep: true });
        server = await startServer({ directory });
        await expectFenced(server, partitions, lost);
      } finally {
        await server.stop();
      }
    },
  );

  test.each([1, 3])(
    "by a replica that has not received the last claim, in %i partitions",
    async (partitions) => {
      const primary = await startServer({ args: ["--repl-diskless-sync-delay", "0"] });
      const replica = await startServer();
      try {
        await prepare(primary, partitions);
        await replica.cli("replicaof", primary.host, `${primary.port}`);
        await until(async () =>
          /master_link_status:up/.test(await replica.cli("info", "replication")),
        );
        await replica.cli("replicaof", "no", "one");
        const lost = await claimOnce(primary, partitions);
        await primary.stop();
        await expectFenced(replica, partitions, lost);
      } finally {
        await primary.stop();
        await replica.stop();
      }
    },
  );
});

describeWith("tokens of the last of all partitions", lackOfAny(), () => {
  const step = partitionsMax;
  const number = step - 1;

  async function withPartition(
    body: (
      call: (operation: string, ...args: (string | number)[]) => Promise<unknown>,
      client: Redis,
    ) => Promise<void>,
  ): Promise<void> {
    const server = await startServer();
    const client = await plainClient(server.port, "server");
    try {
      const key = `anykv:{tokens:${number}}:v`;
      const call = (operation: string, ...args: (string | number)[]) =>
        client.call("FCALL", `${library}_${operation}`, 1, key, ...args);
      await call("open", 1, step, number);
      await body(call, client);
    } finally {
      client.disconnect();
      await server.stop();
    }
  }

  const keys = Array.from({ length: 2_000 }, (_, index) => `k${index}`);
  const claimAll = async (
    call: (operation: string, ...args: (string | number)[]) => Promise<unknown>,
  ) => {
    const reply = (await call("claim_keys", step, 60_000, "", "j", 1, ...keys)) as string[];
    expect(reply[0]).toBe("ok");
    const tokens = keys.map((_, index) => Number(reply[3 + 3 * index]));
    await call("drop_claims", keys.length);
    return tokens;
  };

  test("are safe integers of its own, which rise by a step at least", () =>
    withPartition(async (call, client) => {
      await call("set_many", "", "", ...keys.flatMap((key) => [key, "j1"]));
      const tokens = [...(await claimAll(call)), ...(await claimAll(call))];
      // As a partition that has granted more than there were microseconds.
      const ahead = Math.floor((Number.MAX_SAFE_INTEGER - number) / step / 2) * step + number;
      await call("raise_token", ahead);
      const later = [...(await claimAll(call)), ...(await claimAll(call))];
      expect(later).toStrictEqual(later.map((_, index) => ahead + step * (index + 1)));
      tokens.push(...later);
      for (const [index, token] of tokens.entries()) {
        expect(Number.isSafeInteger(token)).toBe(true);
        expect(token % step).toBe(number);
        if (index > 0) expect(token - (tokens[index - 1] ?? 0)).toBeGreaterThanOrEqual(step);
      }
      expect(await client.hget(`anykv:{tokens:${number}}:n`, "token")).toBe(`${tokens.at(-1)}`);
    }));

  test("are above the clock, however few were granted", () =>
    withPartition(async (call, client) => {
      await call("set", "k", "j1");
      await client.hset(`anykv:{tokens:${number}}:n`, "token", number);
      const [seconds = 0, micros = 0] = (await client.time()).map(Number);
      const reply = (await call("claim_keys", step, 60_000, "", "j", 1, "k")) as string[];
      expect(Number(reply[3])).toBeGreaterThan(seconds * 1e6 + micros);
      expect(Number(reply[3]) % step).toBe(number);
    }));
});
