// What clients say when they connect, before anybody has asked them anything: our doors answer it as a
// Valkey does, error for error.

import { connect, createServer, type Server } from "node:net";
import { createClient } from "@redis/client";
import { Redis as IoRedis } from "ioredis";
import { Redis as IoValkey } from "iovalkey";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeWith, lackOf } from "../../remote/servers.js";
import { type ClientServer, everyPlace } from "./places.js";

const host = "127.0.0.1";

/** Stands between a client and a server, and notes what they say. */
interface Tap {
  readonly port: number;
  readonly said: { asked: string; answered: string };
  close(): void;
}

async function tapOn(target: number): Promise<Tap> {
  const said = { asked: "", answered: "" };
  const listener: Server = createServer((client) => {
    const server = connect(target, host);
    client.on("data", (chunk) => {
      said.asked += chunk.toString("latin1");
      server.write(chunk);
    });
    server.on("data", (chunk) => {
      said.answered += chunk.toString("latin1");
      client.write(chunk);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, host, resolve));
  const { port } = listener.address() as { port: number };
  return { port, said, close: () => listener.close() };
}

/** Connects, asks for "the end", and leaves. */
type Visit = (port: number) => Promise<void>;

async function visitBy(client: IoRedis): Promise<void> {
  await client.echo("the end");
  client.disconnect();
}

const oldWay = { host, connectionName: "me", password: "sesame", db: 0 };
type Case = [name: string, words: readonly string[], errors: readonly string[], visit: Visit];

const visits: readonly Case[] = [
  [
    "ioredis",
    ["auth", "client", "info"],
    [],
    (port) => visitBy(new IoRedis({ port, ...oldWay, protocol: 2 })),
  ],
  [
    "ioredis in RESP3",
    ["hello", "client", "info"],
    [],
    (port) => visitBy(new IoRedis({ port, ...oldWay, protocol: 3 })),
  ],
  [
    "iovalkey",
    ["auth", "client", "info"],
    [],
    (port) => visitBy(new IoValkey({ port, ...oldWay }) as unknown as IoRedis),
  ],
  ...([2, 3] as const).map(
    (protocol) =>
      [
        `node-redis in RESP${protocol}`,
        ["CLIENT", "SETINFO", ...(protocol === 3 ? ["HELLO"] : ["AUTH"])],
        // It asks a paying server for news of its moves.
        protocol === 3 ? ["-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."] : [],
        async (port: number) => {
          const socket = { host, port };
          const names = { name: "me", password: "sesame", RESP: protocol as 3 };
          const client = await createClient({ socket, ...names }).connect();
          await client.echo("the end");
          await client.close();
        },
      ] as Case,
  ),
];

for (const place of everyPlace()) {
  describeWith(`at ${place.name}`, place.isOurs ? undefined : lackOf("valkey"), () => {
    let server: ClientServer;
    const taps: Tap[] = [];
    beforeAll(async () => {
      server = await place.start({ password: "sesame" });
    });
    afterAll(async () => {
      await server.stop();
      await place.close();
    });
    afterEach(() => {
      for (const tap of taps.splice(0)) tap.close();
    });

    test.each(visits)("%s", async (_, words, errors, visit) => {
      const tap = await tapOn(server.port);
      taps.push(tap);
      await visit(tap.port);
      const { asked, answered } = tap.said;
      for (const word of words) expect(asked).toContain(`\r\n${word}\r\n`);
      expect(answered.match(/^-[A-Z]+ .*$/gm) ?? []).toEqual(errors);
      expect(answered).toContain("$7\r\nthe end\r\n");
    });
  });
}
