// A call that fails has changed nothing: Lua takes nothing back, so whatever may be refused has to be
// asked for before the first write.

import { virtualEnv } from "anykv/testing";
import { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Argument, Reply } from "../../src/remote/connection.js";
import type { Operation } from "../../src/remote/operation-table.js";
import { listIn, textIn } from "../../src/remote/replies.js";
import { PlainConnection, plainClient, testPrefix } from "./plain-connection.js";
import { describeWith, lackOfAny, type Server, startServer } from "./servers.js";

const lack = lackOfAny();
const user = "without-time";
let server: Server;
let client: Redis;
let timeless: Redis;

beforeAll(async () => {
  if (lack !== undefined) return;
  server = await startServer();
  client = await plainClient(server.port, "server");
  await client.call("ACL", "SETUSER", user, "on", "nopass", "~*", "+@all", "-time");
  timeless = new Redis({ port: server.port, host: "127.0.0.1", username: user, password: "any" });
});
afterAll(async () => {
  client?.disconnect();
  timeless?.disconnect();
  await server?.stop();
});

function caller(of: Redis, store: string) {
  const plain = { store, partitions: 1, clock: "server", form: "functions" } as const;
  const connection = new PlainConnection(of, virtualEnv(), plain);
  return (operation: Operation, ...args: Argument[]): Promise<Reply> =>
    connection.call({ operation, partition: 0, args, isRead: false });
}

/** Everything that a store has, as the server would write it to its disk. */
async function contentOf(store: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const key of (await client.keys(`${testPrefix}:{${store}:0}:*`)).sort()) {
    content[key] = (await client.dumpBuffer(key))?.toString("latin1") ?? "";
  }
  return content;
}

const minute = 60_000;
/** Stands for the token of the claim on "held". */
const theToken = "token";
/** Calls that write, and have to know what time it is. */
const calls: readonly (readonly [Operation, ...Argument[]])[] = [
  ["set", "v", "j2", "", minute],
  ["set", "new", "j2", "", minute],
  ["set", "mortal", "j2"],
  ["set_many", "", minute, "v", "j2", "new", "j2"],
  ["set_many", "", "", "mortal", "j2", "new", "j2"],
  ["increment", "new", 1, "", minute],
  ["increment", "new", "9223372036854775807", "", minute],
  ["get_or_set", "new", "j2", "", minute],
  ["swap", "v", "j2", "j", "", minute],
  ["compare_swap", "v", "j1", "j2", "", minute],
  ["delete", "mortal", ""],
  ["delete_many", "", "mortal", "v"],
  ["delete_prefix", "", 10, ""],
  ["fetch_remove", "mortal", "j", ""],
  ["expire", "v", minute, ""],
  ["persist", "mortal", ""],
  ["claim_random", "", 1, minute, "me", "j", 5],
  ["claim_keys", 1, minute, "me", "j", 0, "v"],
  ["release_claims", "held", theToken],
  ["complete_claims", 1, "held", theToken],
  ["renew_claims", minute, "held", theToken],
  ["pop_random", "", "j", "", 5],
  ["push", "new", "last", "j1", "", minute],
  ["push", "mortal list", "last", "j1", "", minute],
  ["pop", "mortal list", "last", "j", ""],
  ["delete_array", "mortal list", ""],
  ["add_member", "b", "new", "", minute],
  ["check_then_add_member", "b", "new", "", minute],
  ["delete_member", "b", "mortal", ""],
  ["reap", 500],
  ["load_begin", "load"],
  ["put_values", "mortal", "j2", ""],
  ["put_elements", "mortal list", "", 1, "j2"],
];

/** The token of the claim on "held". */
async function fill(store: string): Promise<string> {
  const call = caller(client, store);
  await call("open", 1, 1, 0);
  await call("push", "garbage", "last", "j1");
  await call("clear");
  await call("set", "v", "j1");
  await call("set", "held", "j1");
  const claimed = listIn(await call("claim_keys", 1, minute, "me", "j", 0, "held"));
  await call("set", "mortal", "j1", "", minute);
  await call("push", "mortal list", "last", "j1", "", minute);
  await call("push", "mortal list", "last", "j2");
  await call("add_member", "b", "mortal", "", minute);
  return textIn(claimed[3]);
}

describeWith("a call that is refused half-way", lack, () => {
  const named = calls.map((call, index) => ({ name: call.join(" "), store: `t-${index}`, call }));
  test.each(named)("$name: nothing changes where TIME is refused", async ({ store, call }) => {
    const token = await fill(store);
    const [operation, ...words] = call;
    const args = words.map((word) => (word === theToken ? token : word));
    const before = await contentOf(store);
    await expect(caller(timeless, store)(operation, ...args)).rejects.toThrow(/permission|ACL/i);
    expect(await contentOf(store)).toStrictEqual(before);
    // It was the time that was missing, and nothing else.
    await caller(client, store)(operation, ...args);
  });

  test.each(["v", "k", "f", "d", "a", "i", "c", "e", "b", "t", "g", "n"])(
    "a store of which %s is something else is not opened",
    async (name) => {
      const store = `foreign-${name}`;
      await client.set(`${testPrefix}:{${store}:0}:${name}`, "theirs");
      const before = await contentOf(store);
      const opening = caller(client, store)("open", 1, 1, 0);
      await expect(opening).rejects.toThrow(`ANYKV_FOREIGN ${name}`);
      expect(await contentOf(store)).toStrictEqual(before);
    },
  );
});
