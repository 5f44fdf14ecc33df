import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { useServer, valkeyFactory } from "./valkey-factory.js";

useServer("valkey");
storeSuite({ describe, expect, test }, valkeyFactory({ kind: "valkey", partitions: 3 }));
