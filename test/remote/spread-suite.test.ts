// Every documented behaviour, on a real server: the store spread over three partitions.

import { describeWith, lackOf } from "./servers.js";
import { usualSuite } from "./usual-suite.js";
import { useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("valkey-server", lackOf("valkey"), () => {
  useServer("valkey");
  usualSuite(valkeyFactory({ kind: "valkey", partitions: 3 }), { uniformAt: [90] });
});
