// Every documented behaviour, with four processes taking turns on one store; with tracked keys only,
// unless ANYKV_TURNS=all asks for both.

import { storeSuite } from "anykv/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Peer, processes, turnsFactory } from "./taking-turns.js";

let compiled: CompiledPackage;
let peers: Peer[] = [];

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  peers = Array.from({ length: processes }, () => new Peer(compiled));
});

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.end()));
  compiled.remove();
});

const identity = "what comes from another process is a copy";
const order = "calls made at once go to several processes";
/** Cases that hold within one process alone, by their titles, each with the reason. */
const gaps: Readonly<Record<string, string>> = {
  "set resolves with the very value that was passed": identity,
  "bytes come back as they went in": identity,
  "waiting pops are not overtaken by pops that come after them": order,
  "a backup holds what was there at its call, whatever is written meanwhile": order,
  "a best-effort backup holds no key that came later": order,
  "a waiting pop without a time-out waits for days":
    "it looks every few milliseconds whether others have added something, and each look is a message here",
};

function testOrGap(name: string, body: () => void | Promise<void>, timeoutMs?: number): unknown {
  const reason = gaps[name];
  if (reason === undefined) return test(name, body, timeoutMs);
  return test(`gap: not "${name}", because ${reason}`, () => expect(reason).not.toBe(""));
}

function describeAsked(name: string, body: () => void): unknown {
  if (process.env.ANYKV_TURNS === "all" || !name.endsWith("trackKeys: false")) {
    return describe(name, body);
  }
  return test.skip(`${name}: ANYKV_TURNS=all`, () => {});
}

storeSuite(
  { describe: describeAsked, expect, test: testOrGap },
  turnsFactory(() => peers),
);
