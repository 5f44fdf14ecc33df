// Hostile clients: commands with odd arguments, damaged on the way, each over a connection of its
// own. Whatever comes, the server goes on, every reply is well-formed, and the store is in order.
//
// ANYKV_SEED and ANYKV_FUZZ_INPUTS repeat a run, or make it longer.

import { expect, test } from "vitest";
import { Handle } from "../../../src/kv/handle.js";
import { doorTo } from "../../../src/server/resp/resp-door.js";
import { respSettings } from "../../../src/server/resp/resp-options.js";
import { seededRandom } from "../../../src/testing/seeded-random.js";
import { OpenedEngine } from "../../kv/kv-over-engine.js";
import { request } from "./door-bench.js";
import { FakeSocket } from "./fake-socket.js";
import { rowProblems } from "./row-problems.js";
import { replyEnd } from "./wire-peer.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const inputs = Number(process.env.ANYKV_FUZZ_INPUTS ?? 20_000);
const inputsPerTurn = 100;

type Random = ReturnType<typeof seededRandom>;

const oddWords: readonly (string | Uint8Array)[] = [
  ...["", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1e400", "nan", "0x10"],
  ...["k", "k", "k", "l", "s", "h", "*", "[", "a*b?[c-", "\\", "NX", "XX", "EX", "PX", "KEEPTTL"],
  ...["GET", "COUNT", "MATCH", "LEFT", "RIGHT", "LIMIT", "TYPE", "WITHVALUES", "FILTERBY", "ID"],
  ...["\0", "\r\n", "é", "😀", "\ufffd", "x".repeat(300), "__proto__", "constructor"],
  new Uint8Array([0xff, 0xfe]),
  new Uint8Array([0xc3]),
];

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}

function hostileRequest(random: Random, names: readonly string[]): Buffer {
  const words = [
    ...oneOf(random, names).split("|"),
    ...Array.from({ length: random.below(5) }, () => oneOf(random, oddWords)),
  ];
  const bytes = request(...words);
  if (random.below(4) > 0 || bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  switch (random.below(3)) {
    case 0:
      bytes[at] = random.below(256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))]);
  }
}

/** Where the well-formed replies of a text end. */
function repliesEnd(text: string): number {
  let at = 0;
  for (let end = replyEnd(text, at); end !== undefined; end = replyEnd(text, at)) at = end;
  return at;
}

test(`hostile clients, seed ${seed}`, async () => {
  const random = seededRandom(seed);
  const opened = new OpenedEngine(false);
  const kv = opened.handle();
  const limits = { argumentLimit: "64KiB", requestLimit: "256KiB" };
  const { door } = doorTo(await Handle.served(kv), respSettings(limits));
  const names = door.table.commands.map(({ name }) => name);
  for (let input = 0; input < inputs; input += inputsPerTurn) {
    const clients = Array.from({ length: inputsPerTurn }, () => {
      const socket = new FakeSocket();
      door.accept(socket.asSocket);
      const sent = Array.from({ length: 1 + random.below(4) }, () => hostileRequest(random, names));
      for (const bytes of sent) socket.sends(bytes);
      return { socket, sent };
    });
    await opened.env.idle();
    for (const { socket, sent } of clients) {
      const told = `${JSON.stringify(socket.received.slice(0, 500))} for ${Buffer.concat(sent).toString("hex")}`;
      expect(repliesEnd(socket.received), told).toBe(socket.received.length);
      expect(socket.received, told).not.toMatch(/-ERR internal error|cannot be carried out/);
      socket.destroy();
    }
    await opened.env.idle();
    expect(door.sessions.size).toBe(0);
  }
  expect(door.facts.counts.blocked).toBe(0);
  expect(rowProblems(opened.engine)).toEqual([]);
});
