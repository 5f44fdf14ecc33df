// The rows of commands that concern connections and the server: what they say is what a real server
// says, and the shapes that replies have.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ReplyShape } from "../../../src/server/resp/command.js";
import { sessionCommands } from "../../../src/server/resp/table/session-commands.js";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { type DoorBench, openDoor } from "./door-bench.js";
import { replyEnd, WirePeer } from "./wire-peer.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

/** Of no concern here. */
const otherFlags = new Set([
  "skip_monitor",
  "skip_slowlog",
  "sentinel",
  "no_async_loading",
  "may_replicate",
]);

const infoForm =
  /^\*1\r\n\*10\r\n\$\d+\r\n[^\r]+\r\n:(-?\d+)\r\n\*\d+\r\n((?:\+\w+\r\n)*):(-?\d+)\r\n:(-?\d+)\r\n:(-?\d+)\r\n/;

describeWith("a real server", lack, () => {
  test("describes the commands alike", async () => {
    const server = await startServer({ kind: "valkey" });
    const peer = await WirePeer.connect(server.port);
    const found: unknown[] = [];
    for (const { name, arity, flags, keys } of sessionCommands) {
      const [, theirArity, theirFlags = "", ...theirKeys] =
        infoForm.exec(await peer.run("COMMAND", "INFO", name)) ?? [];
      const named = theirFlags.match(/\w+/g)?.filter((flag) => !otherFlags.has(flag)) ?? [];
      const theirs = {
        arity: Number(theirArity),
        flags: named.sort(),
        keys: theirKeys.map(Number),
      };
      const ours = { arity, flags: [...flags].sort(), keys: [...keys] };
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) found.push({ name, ours, theirs });
    }
    expect(found).toEqual([]);
    peer.close();
    await server.stop();
  });
});

/** One request or several, the last of which is the example. */
const examples: Readonly<Record<string, readonly string[]>> = {
  PING: ["PING", "PING x", "SUBSCRIBE c\r\nPING"],
  ECHO: ["ECHO x"],
  SELECT: ["SELECT 0"],
  READONLY: ["READONLY"],
  READWRITE: ["READWRITE"],
  AUTH: ["AUTH secret"],
  HELLO: ["HELLO"],
  QUIT: ["QUIT"],
  RESET: ["RESET"],
  "CLIENT|ID": ["CLIENT ID"],
  "CLIENT|GETNAME": ["CLIENT GETNAME", "CLIENT SETNAME me\r\nCLIENT GETNAME"],
  "CLIENT|SETNAME": ["CLIENT SETNAME me"],
  "CLIENT|SETINFO": ["CLIENT SETINFO LIB-NAME me"],
  "CLIENT|INFO": ["CLIENT INFO"],
  "CLIENT|LIST": ["CLIENT LIST"],
  "CLIENT|KILL": ["CLIENT KILL 127.0.0.1:50000", "CLIENT KILL ID 99"],
  "CLIENT|NO-EVICT": ["CLIENT NO-EVICT ON"],
  "CLIENT|NO-TOUCH": ["CLIENT NO-TOUCH ON"],
  "CLIENT|REPLY": ["CLIENT REPLY ON"],
  "CLIENT|UNBLOCK": ["CLIENT UNBLOCK 99"],
  "CLIENT|GETREDIR": ["CLIENT GETREDIR"],
  INFO: ["INFO"],
  TIME: ["TIME"],
  "CONFIG|GET": ["CONFIG GET max*"],
  "CONFIG|SET": ["CONFIG SET timeout 0"],
  "CONFIG|RESETSTAT": ["CONFIG RESETSTAT"],
  COMMAND: ["COMMAND"],
  "COMMAND|COUNT": ["COMMAND COUNT"],
  "COMMAND|DOCS": ["COMMAND DOCS get"],
  "COMMAND|INFO": ["COMMAND INFO get client"],
  "COMMAND|LIST": ["COMMAND LIST"],
  "COMMAND|GETKEYS": ["COMMAND GETKEYS GET k"],
  MULTI: ["MULTI"],
  EXEC: ["MULTI\r\nEXEC", "WATCH k\r\nSET k 1\r\nMULTI\r\nEXEC"],
  DISCARD: ["MULTI\r\nDISCARD"],
  WATCH: ["WATCH k"],
  UNWATCH: ["UNWATCH"],
  SUBSCRIBE: ["SUBSCRIBE c"],
  UNSUBSCRIBE: ["SUBSCRIBE c\r\nUNSUBSCRIBE"],
  PSUBSCRIBE: ["PSUBSCRIBE c*"],
  PUNSUBSCRIBE: ["PSUBSCRIBE c*\r\nPUNSUBSCRIBE"],
  PUBLISH: ["PUBLISH c m"],
  "PUBSUB|CHANNELS": ["PUBSUB CHANNELS"],
  "PUBSUB|NUMSUB": ["PUBSUB NUMSUB c"],
  "PUBSUB|NUMPAT": ["PUBSUB NUMPAT"],
};

function lastReply(text: string): string {
  let start = 0;
  for (let end = replyEnd(text); end !== undefined && end < text.length; ) {
    start = end;
    end = replyEnd(text, start);
  }
  return text.slice(start);
}

function shapesOf(reply: string, protocol: 2 | 3): ReplyShape[] {
  if (reply === "+OK\r\n") return ["ok"];
  if (/^([$*]-1|_)\r\n$/.test(reply)) return ["nil"];
  const bySign: Readonly<Record<string, ReplyShape[]>> = {
    "+": ["simple"],
    ":": ["integer"],
    $: protocol === 2 ? ["bulk", "verbatim"] : ["bulk"],
    "=": ["verbatim"],
    "*": protocol === 2 ? ["array", "map", "any"] : ["array"],
    "%": ["map"],
    ">": ["any"],
  };
  return bySign[reply[0] ?? ""] ?? [];
}

describe("replies have the shapes that the table names", () => {
  let bench: DoorBench;
  beforeEach(async () => {
    bench = await openDoor({ password: "secret" });
  });
  afterEach(() => bench.close());

  test("there are examples of every command", () => {
    const names = sessionCommands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(examples).sort()).toEqual(names.sort());
  });

  for (const protocol of [2, 3] as const) {
    test.each(sessionCommands)(`$name in RESP${protocol}`, async ({ name, reply: declared }) => {
      for (const example of examples[name] ?? []) {
        const client = bench.client();
        await bench.ask(client, `HELLO ${protocol} AUTH default secret\r\n`);
        const reply = lastReply(await bench.ask(client, `${example}\r\n`));
        client.destroy();
        const fitting = shapesOf(reply, protocol).filter((shape) => declared.includes(shape));
        expect(fitting, `${example} ${reply}`).not.toEqual([]);
        await bench.env.idle();
      }
    });
  }
});
