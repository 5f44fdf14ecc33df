import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { useServer, valkeyFactory } from "./valkey-factory.js";

useServer("redis");
storeSuite({ describe, expect, test }, valkeyFactory({ kind: "redis", partitions: 3 }));
