// Every documented behaviour, on a real server: the store in one partition.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { describeWith, lackOf } from "./servers.js";
import { useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("valkey-server", lackOf("valkey"), () => {
  useServer("valkey");
  storeSuite({ describe, expect, test }, valkeyFactory({ kind: "valkey", partitions: 1 }));
});
