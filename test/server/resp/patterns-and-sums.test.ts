// What is computed here and not stored: patterns match as in a real server, and decimal sums have its
// digits.

import { seededRandom } from "anykv/testing";
import { expect, onTestFinished, test } from "vitest";
import type { Random } from "../../../src/env/env.js";
import { globOf } from "../../../src/server/resp/glob.js";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { DirectDoor } from "./direct-door.js";
import { WirePeer } from "./wire-peer.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

async function realServer(): Promise<WirePeer> {
  const server = await startServer({ kind: "valkey" });
  onTestFinished(() => server.stop());
  const peer = await WirePeer.connect(server.port);
  onTestFinished(() => peer.close());
  return peer;
}

function drawn(random: Random, signs: readonly string[], most: number): string {
  return Array.from({ length: random.below(most) }, () => signs[random.below(signs.length)]).join(
    "",
  );
}

function membersIn(reply: string): string[] {
  return reply
    .split("\r\n")
    .slice(4)
    .filter((_, at) => at % 2 === 1)
    .sort();
}

describeWith("as in a real server", lack, () => {
  test("patterns match", async () => {
    const random = seededRandom(7);
    const peer = await realServer();
    const door = new DirectDoor();
    const subjects = new Set(["é", "]", "[", "-", "\\", "*"]);
    while (subjects.size < 100) subjects.add(`${drawn(random, [..."aabbc]-\\^é"], 6)}a`);
    for (const asked of [door, peer]) await asked.run("SADD", "s", ...subjects);
    for (let round = 0; round < 3_000; round++) {
      // Ranges of bytes above 127 depend on the processor there.
      const others = random.below(4) === 0 ? "é" : "-";
      const pattern = drawn(random, [...`aaabbc**??[[]]^\\${others}`], 9);
      const request = ["SSCAN", "s", 0, "COUNT", 1_000, "MATCH", pattern];
      const [ours, theirs] = [door.run(...request), await peer.run(...request)];
      expect(membersIn(ours), pattern).toEqual(membersIn(theirs));
    }
  });

  test("sums have the same digits", async () => {
    const random = seededRandom(8);
    const peer = await realServer();
    const door = new DirectDoor();
    const digits = (most: number): string => drawn(random, [..."0123456789"], most);
    for (let round = 0; round < 3_000; round++) {
      const power = random.below(3) === 0 ? `e${random.below(60) - 30}` : "";
      const delta = `${random.below(2) === 0 ? "-" : ""}${digits(22)}.${digits(22)}${power}`;
      if (round % 20 === 0) for (const asked of [door, peer]) await asked.run("DEL", "n");
      const [ours, theirs] = [
        door.run("INCRBYFLOAT", "n", delta),
        await peer.run("INCRBYFLOAT", "n", delta),
      ];
      expect(ours, delta).toBe(theirs);
    }
  });
});

test("no pattern takes long", () => {
  const matches = globOf(`${"*a".repeat(500)}b`);
  expect(matches("a".repeat(5_000))).toBe(false);
});
