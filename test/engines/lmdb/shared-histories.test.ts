// Random histories on the shared backend. ANYKV_HISTORIES sets their number; ANYKV_SEED and ANYKV_PATH
// repeat a failure, as its report says.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedFactory } from "./shared-factory.js";

const { ANYKV_HISTORIES, ANYKV_SEED, ANYKV_PATH } = process.env;

historySuite({ describe, expect, test, fc }, sharedFactory, {
  runs: Number(ANYKV_HISTORIES ?? 100),
  steps: 200,
  seed: Number(ANYKV_SEED ?? 1),
  ...(ANYKV_PATH === undefined ? {} : { path: ANYKV_PATH }),
  command: "npx vitest run test/engines/lmdb/shared-histories.test.ts",
});
