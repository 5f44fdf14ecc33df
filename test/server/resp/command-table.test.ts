// The rows of the table: what they say of commands is what a real server says, and what the commands
// do.

import { describe, expect, test } from "vitest";
import type { Command, ReplyShape } from "../../../src/server/resp/command.js";
import { dataCommands } from "../../../src/server/resp/table/data-commands.js";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { DirectDoor } from "./direct-door.js";
import { replyExamples } from "./reply-examples.js";
import { replyEnd, WirePeer } from "./wire-peer.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

describe("the table", () => {
  test("has each command once", () => {
    const names = dataCommands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(dataCommands)("$name reads or writes as its flags say", ({ flags, body }) => {
    const writes = body.kind === "write" || body.kind === "take";
    expect(flags.includes("write")).toBe(writes);
    expect(flags.includes("readonly") || flags.includes("loading")).toBe(!writes);
    expect(flags.includes("blocking")).toBe(body.kind === "take");
  });
});

/** The values of a reply of simple forms: numbers, texts and arrays of them. */
function parsed(reply: string): unknown {
  let at = 0;
  const one = (): unknown => {
    const line = reply.indexOf("\r\n", at);
    const [sign, rest] = [reply[at], reply.slice(at + 1, line)];
    at = line + 2;
    if (sign === ":") return Number(rest);
    if (sign === "*") return Array.from({ length: Number(rest) }, one);
    if (sign !== "$") return rest;
    at += Number(rest) + 2;
    return reply.slice(at - Number(rest) - 2, at - 2);
  };
  return one();
}

/** Of its own making, or of no concern here. */
const unknownFlags = new Set(["no_mandatory_keys"]);

describeWith("a real server", lack, () => {
  test("describes the commands alike", async () => {
    const server = await startServer({ kind: "valkey" });
    const peer = await WirePeer.connect(server.port);
    for (const { name, arity, flags, keys } of dataCommands) {
      const [info] = parsed(await peer.run("COMMAND", "INFO", name)) as [unknown[]];
      const theirs = (info[2] as string[]).filter((flag) => !unknownFlags.has(flag));
      const described = { arity: info[1], flags: theirs.sort(), keys: info.slice(3, 6) };
      expect({ name, arity, flags: [...flags].sort(), keys: [...keys] }).toEqual({
        name,
        ...described,
      });
    }
    peer.close();
    await server.stop();
  });
});

/** Which shapes a reply may have been declared with. */
function shapesOf(reply: string, protocol: 2 | 3): ReplyShape[] {
  if (reply === "+OK\r\n") return ["ok", "simple"];
  if (/^([$*]-1|_)\r\n$/.test(reply)) return ["nil"];
  switch (reply[0]) {
    case "+":
      return ["simple"];
    case ":":
      return ["integer"];
    case "$":
      return protocol === 2 ? ["bulk", "double", "verbatim"] : ["bulk"];
    case "=":
      return ["verbatim"];
    case "*":
      return protocol === 2 ? ["array", "map", "set"] : ["array"];
    case "%":
      return ["map"];
    case "~":
      return ["set"];
    case ",":
      return ["double"];
    default:
      return [];
  }
}

describe("replies have the shapes that the table names, and each shape comes", () => {
  const names = dataCommands.map(({ name }) => name);
  test("there are examples of every command", () => {
    expect(Object.keys(replyExamples).sort()).toEqual([...names].sort());
  });

  for (const protocol of [2, 3] as const) {
    test.each(dataCommands)(`$name in RESP${protocol}`, ({ name, reply: declared }: Command) => {
      const door = new DirectDoor({ protocol });
      const seen = new Set<ReplyShape>();
      for (const request of replyExamples[name] ?? []) {
        const isExample = request.toUpperCase().startsWith(name.replace("|", " "));
        const reply = door.run(...request.split(" "));
        expect(replyEnd(reply), request).toBe(reply.length);
        if (!isExample) continue;
        const fitting = shapesOf(reply, protocol).filter((shape) => declared.includes(shape));
        // OBJECT FREQ knows nothing but errors and nil.
        if (!reply.startsWith("-")) expect(fitting, `${request} ${reply}`).not.toEqual([]);
        for (const shape of fitting) seen.add(shape);
      }
      expect([...seen].sort()).toEqual([...declared].sort());
    });
  }
});
