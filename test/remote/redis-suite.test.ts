// Every documented behaviour, on a real server: the oldest one that has functions.

import { describeWith, lackOf } from "./servers.js";
import { usualSuite } from "./usual-suite.js";
import { useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("redis-server", lackOf("redis"), () => {
  useServer("redis");
  usualSuite(valkeyFactory({ kind: "redis", partitions: 1 }), {});
});
