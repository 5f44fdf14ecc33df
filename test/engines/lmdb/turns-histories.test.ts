// Random histories with four processes taking turns on one store, which is closed and opened again at
// random points. ANYKV_TURN_HISTORIES sets their number; ANYKV_SEED and ANYKV_PATH repeat a failure, as
// its report says.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Peer, processes, turnsFactory } from "./taking-turns.js";

const { ANYKV_TURN_HISTORIES, ANYKV_SEED, ANYKV_PATH } = process.env;

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

historySuite(
  { describe, expect, test, fc },
  turnsFactory(() => peers),
  {
    runs: Number(ANYKV_TURN_HISTORIES ?? 15),
    steps: 200,
    reopens: true,
    seed: Number(ANYKV_SEED ?? 1),
    ...(ANYKV_PATH === undefined ? {} : { path: ANYKV_PATH }),
    command: "npx vitest run test/engines/lmdb/turns-histories.test.ts",
  },
);
