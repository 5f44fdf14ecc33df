// What a server keeps of the answers of a client that sends its writes again: as much as is needed.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { valkeySettings } from "../../../src/kv/options/valkey-options.js";
import type { Argument, Reply } from "../../../src/remote/connection.js";
import { isRepeatable, type Operation } from "../../../src/remote/operation-table.js";
import { openValkey } from "../../../src/remote/valkey/open-valkey.js";
import type { ValkeyConnection } from "../../../src/remote/valkey/valkey-connection.js";
import { describeWith, lackOfAny, type Server, startServer, until } from "../servers.js";

const lack = lackOfAny();
let server: Server;
let connection: ValkeyConnection;

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  if (lack !== undefined) return;
  await server.cli("flushall");
  const settings = valkeySettings({ port: server.port, retryWrites: true });
  connection = await openValkey({ env: nodeEnv, settings, storeName: "s" });
  await call("open", 1, 1, 0);
  await connection.opened();
});
afterEach(() => connection?.close());

function call(operation: Operation, ...args: Argument[]): Promise<Reply> {
  return connection.call({ operation, partition: 0, args, isRead: isRepeatable(operation) });
}

const record = async (): Promise<string> => (await server.cli("keys", "anykv:{s:0}:r:*")).trim();
const client = async (): Promise<string> => (await record()).slice("anykv:{s:0}:r:".length);

/** Values in their kind, which is all that a pop of one answers. */
const value = (letter: string): string => `j"${letter.repeat(20_000)}"`;

async function popMany(count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, index) => `k${index}`);
  await call("set_many", "", "", ...keys.flatMap((key) => [key, value("x")]));
  const popped = await Promise.all(keys.map((key) => call("fetch_remove", key, "j", "")));
  for (const reply of popped) expect((reply as Uint8Array).length).toBe(20_003);
}

describeWith("the replies that are kept for a client", lack, () => {
  test("are forgotten when they are large and nobody needs them any more", async () => {
    await popMany(500);
    const bytes = async (): Promise<number> =>
      Number(await server.cli("memory", "usage", await record(), "samples", "0"));
    // Ten megabytes were popped at once.
    await until(async () => (await bytes()) < 600_000);
    expect(await bytes()).toBeGreaterThan(0);
  });

  test("leave a mark behind, so that a copy is refused all the same", async () => {
    await popMany(30);
    await call("set", "k0", "j1");
    const sequences = Array.from({ length: 1_024 }, (_, index) => index + 1);
    await call("once_forget", await client(), ...sequences);
    const name = (await server.cli("function", "list")).match(/anykv_\w+?(?=_version)/)?.[0];
    const rows = (await server.cli("hgetall", await record())).split("\n");
    const marked = rows.flatMap((row) => /^(\d+)!ANYKV_SUPERSEDED \1$/.exec(row)?.[1] ?? []);
    expect(marked.length).toBeGreaterThan(20);
    for (const sequence of marked) {
      const once = ["anykv:{s:0}:v", await client(), sequence, "fetch_remove", "k0", "j", ""];
      const copy = server.cli("fcall", `${name}_once_free`, "1", ...once);
      expect(await copy.catch((error) => `${error}`)).toContain("ANYKV_SUPERSEDED");
    }
    expect(await server.cli("hget", "anykv:{s:0}:v", "k0")).toBe("j1");
  });

  test("go with the connection", async () => {
    await popMany(30);
    expect(await record()).not.toBe("");
    await connection.close();
    expect(await record()).toBe("");
  });
});
