// Every method in every state of a handle, on a real server.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, useServer, valkeyFactory } from "./valkey-factory.js";

describeWith("a server", lackOfAny(), () => {
  useServer(anyKind());
  lifecycleSuite({ describe, expect, test }, valkeyFactory({ kind: anyKind(), partitions: 1 }));
});
