// Random histories on valkey-server, in one partition and in three, by functions and by the script;
// after each one the layout is verified. ANYKV_HISTORIES sets their number; ANYKV_SEED and ANYKV_PATH
// repeat a failure, as its report says.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeWith, lackOf } from "./servers.js";
import { historyOptions, useServer, valkeyFactory } from "./valkey-factory.js";

const kind = "valkey";

describeWith(`${kind}-server`, lackOf(kind), () => {
  useServer(kind);
  const options = historyOptions(`${kind}-histories`);
  for (const partitions of [1, 3]) {
    historySuite({ describe, expect, test, fc }, valkeyFactory({ kind, partitions }), options);
  }
  const byScript = valkeyFactory({ kind, partitions: 1, form: "script" });
  historySuite({ describe, expect, test, fc }, byScript, {
    ...options,
    runs: Math.ceil(options.runs / 4),
  });
});
