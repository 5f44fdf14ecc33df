// Random histories on a real cluster of three primaries and three replicas, in five partitions, through
// the connection that users get; after each one the layout is verified. They are a quarter of what
// ANYKV_HISTORIES says; ANYKV_SEED and ANYKV_PATH repeat a failure, as its report says.

import { historySuite } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clusterFactory, useCluster } from "./cluster-factory.js";
import { describeWith, lackOfAny } from "./servers.js";
import { historyOptions } from "./valkey-factory.js";

describeWith("a cluster", lackOfAny(), () => {
  useCluster();
  const options = historyOptions("cluster-histories");
  historySuite({ describe, expect, test, fc }, clusterFactory(5), {
    ...options,
    runs: Math.ceil(options.runs / 4),
  });
});
