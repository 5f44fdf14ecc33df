// Every documented behaviour, on a real cluster of three primaries and three replicas.

import { clusterFactory, useCluster } from "./cluster-factory.js";
import { describeWith, lackOfAny } from "./servers.js";
import { usualSuite } from "./usual-suite.js";

describeWith("a cluster", lackOfAny(), () => {
  useCluster();
  usualSuite(clusterFactory(5), {});
});
