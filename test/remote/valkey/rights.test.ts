// What a user of the server must be allowed: with what the documents name everything works, and what
// is missing is told when a store is opened, or at the latest by the call that it stops.

import { readFileSync } from "node:fs";
import { type Kv, openKv } from "anykv";
import { expect, test } from "vitest";
import {
  neededCommands,
  neededForDatabase,
  neededInCluster,
} from "../../../src/remote/needed-rights.js";
import {
  describeWith,
  lackOf,
  type Server,
  type ServerKind,
  startServer,
  until,
} from "../servers.js";

test("the documents name what is needed", () => {
  const page = readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8");
  for (const rights of [neededCommands, neededForDatabase, neededInCluster]) {
    expect(page).toContain(`\`${rights}\``);
  }
});

for (const kind of ["valkey", "redis"] satisfies ServerKind[]) {
  describeWith(`a user of ${kind}-server`, lackOf(kind), () => {
    let stores = 0;

    async function withUser(
      rights: readonly string[],
      body: (open: (retryWrites?: boolean) => Kv, server: Server) => Promise<void>,
    ): Promise<void> {
      const server = await startServer({ kind });
      await server.cli("acl", "setuser", "worker", "on", ">secret", ...rights);
      const open = (retryWrites = false): Kv => {
        const login = { port: server.port, username: "worker", password: "secret" };
        return openKv({
          backend: "valkey",
          name: `u${++stores}`,
          valkey: { ...login, retryWrites },
        });
      };
      try {
        await body(open, server);
      } finally {
        await server.stop();
      }
    }

    const needed = neededCommands.split(" ");
    const scripts = needed.map((right) => right.replace("fcall", "evalsha"));

    test.each([
      ["functions", needed],
      ["scripts", scripts.map((right) => right.replace("function|load", "eval"))],
    ])("may do everything by %s with what is needed", (_form, rights) =>
      withUser([...rights, "~anykv:*"], async (open) => {
        for (const retryWrites of [false, true]) {
          await using kv = open(retryWrites);
          await everything(kv);
        }
      }),
    );

    test.each(["time", "@list", "@hash", "@sortedset", "unlink", "exists", "pexpire", "rename"])(
      "without %s is refused when the store is opened",
      (right) =>
        withUser([...needed, "~anykv:*", `-${right}`], async (open, server) => {
          await using kv = open();
          const error = await kv.set("key", 1, { ttl: 1_000 }).catch((reason: unknown) => reason);
          expect(error).toMatchObject({
            name: "ServerAccessError",
            hint: expect.stringContaining(neededCommands),
          });
          if (!right.startsWith("@")) expect(error).toMatchObject({ message: / \w+$/ });
          expect(await server.cli("keys", "*")).toBe("");
        }),
    );

    test("who may not use the keys of the prefix is refused", () =>
      withUser([...needed, "~other:*"], async (open) => {
        await using kv = open();
        await expect(kv.get("key")).rejects.toMatchObject({ name: "ServerAccessError" });
      }));

    test("who loses a right later is told by the call", () =>
      withUser([...needed, "~anykv:*"], async (open, server) => {
        await using kv = open();
        await kv.set("key", 1);
        await server.cli("acl", "setuser", "worker", "-time");
        await expect(kv.set("key", 2, { ttl: 1_000 })).rejects.toMatchObject({
          name: "ServerAccessError",
          hint: expect.stringContaining("+time"),
        });
      }));
  });
}

interface Surroundings {
  readonly title: string;
  readonly args: readonly string[];
  readonly options: object;
  readonly right: string;
}

const surroundings: readonly Surroundings[] = [
  { title: "a database", args: [], options: { database: 3 }, right: neededForDatabase },
  {
    title: "a cluster",
    args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
    options: { cluster: true, partitions: 3 },
    right: neededInCluster,
  },
];

describeWith("a user in", lackOf("valkey"), () => {
  test.each(surroundings)("$title needs $right", async ({ args, options, right }) => {
    const server = await startServer({ kind: "valkey", args });
    try {
      if ("cluster" in options) {
        await server.cli("cluster", "addslotsrange", "0", "16383");
        await until(async () => /cluster_state:ok/.test(await server.cli("cluster", "info")));
      }
      const rights = [...neededCommands.split(" "), "~anykv:*"];
      await server.cli("acl", "setuser", "worker", "on", ">secret", ...rights);
      const login = { port: server.port, username: "worker", password: "secret" };
      const valkey = { ...login, ...options };
      {
        await using kv = openKv({ backend: "valkey", name: "without", valkey });
        await expect(kv.set("key", 1)).rejects.toMatchObject({
          name: "ServerAccessError",
          message: expect.stringContaining((right.split(" ")[0] as string).slice(1)),
          hint: expect.stringContaining(`\`${right}\``),
        });
      }
      await server.cli("acl", "setuser", "worker", ...right.split(" "));
      await using kv = openKv({ backend: "valkey", name: "with", valkey });
      await everything(kv);
    } finally {
      await server.stop();
    }
  });
});

/** Something of every part of the library. */
async function everything(kv: Kv): Promise<void> {
  await kv.setMany({ a: 1, b: 2 });
  await kv.set("short", 1, { ttl: 60_000 });
  await kv.incrementBy("n", 2 ** 52);
  await kv.incrementBy("n", 1);
  await kv.append("q", 1);
  await kv.prepend("q", 2);
  expect(await kv.pop("q")).toBe(1);
  expect(await kv.popFirst("q")).toBe(2);
  const claim = await kv.claimRandom({ prefix: "a" });
  if (claim !== null) await kv.completeClaim(claim);
  expect(await kv.count()).toBeGreaterThan(2);
  await kv.deleteByPrefix({ prefix: "b", limit: 10 });
  const seen = kv.filter("seen");
  await seen.add("x", { ttl: 60_000 });
  expect(await seen.contains("x")).toBe(true);
  await kv.clear();
  expect(await kv.count()).toBe(0);
}
