// Random histories through the functions of a served store, on every kind of engine: one that answers
// at once, one whose writes are awaited, one that is awaited in everything. ANYKV_HISTORIES sets their
// number; ANYKV_SEED and ANYKV_PATH repeat a failure, as its report says.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functionFactory, type ServedBackend } from "./function-factory.js";

const { ANYKV_HISTORIES, ANYKV_SEED, ANYKV_PATH } = process.env;

const shares: Readonly<Record<ServedBackend, number>> = {
  memory: 1,
  wal: 1 / 4,
  "synced wal": 1 / 10,
  disk: 1 / 10,
};

for (const [backend, share] of Object.entries(shares) as [ServedBackend, number][]) {
  historySuite({ describe, expect, test, fc }, functionFactory(backend), {
    runs: Math.ceil(Number(ANYKV_HISTORIES ?? 200) * share),
    steps: 200,
    reopens: true,
    seed: Number(ANYKV_SEED ?? 1),
    ...(ANYKV_PATH === undefined ? {} : { path: ANYKV_PATH }),
    timeoutMsPerRun: 20_000,
    command: "npx vitest run test/server/functions/function-histories.test.ts",
  });
}
