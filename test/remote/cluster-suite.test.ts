// Every documented behaviour, on a real cluster of three primaries and three replicas.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { clusterFactory, useCluster } from "./cluster-factory.js";
import { describeWith, lackOfAny } from "./servers.js";

describeWith("a cluster", lackOfAny(), () => {
  useCluster();
  storeSuite({ describe, expect, test }, clusterFactory(5));
});
