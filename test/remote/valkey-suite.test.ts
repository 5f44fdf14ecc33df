// Every documented behaviour, on a real server: the store in one partition.

import { describeWith, lackOf } from "./servers.js";
import { usualSuite } from "./usual-suite.js";
import { useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("valkey-server", lackOf("valkey"), () => {
  useServer("valkey");
  usualSuite(valkeyFactory({ kind: "valkey", partitions: 1 }), {
    untracked: true,
    uniformAt: [50],
  });
});
