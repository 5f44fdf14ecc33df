// Every documented behaviour, on a real server: the oldest one that has functions.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { describeWith, lackOf } from "./servers.js";
import { useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("redis-server", lackOf("redis"), () => {
  useServer("redis");
  storeSuite({ describe, expect, test }, valkeyFactory({ kind: "redis", partitions: 1 }));
});
