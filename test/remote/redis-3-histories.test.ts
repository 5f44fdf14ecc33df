// Random histories. ANYKV_HISTORIES sets their number; ANYKV_SEED and ANYKV_PATH repeat a failure.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { historyOptions, useServer, valkeyFactory } from "./valkey-factory.js";

useServer("redis");
historySuite(
  { describe, expect, test, fc },
  valkeyFactory({ kind: "redis", partitions: 3 }),
  historyOptions("redis-3-histories"),
);
