// Remote capabilities: what a store on a server can do, by its partitions; docs/api.md, "What partitions
// change", gives the reasons.

import type { Capabilities } from "../engine/engine.js";

export function remoteCapabilities(partitions: number): Capabilities {
  return {
    sharing: "hosts",
    durability: "server",
    atomicBatches: partitions === 1,
    oneStepAtAnySize: false,
    guardsAnyKey: partitions === 1,
    exactSnapshots: false,
    waitsInTurn: false,
    largerThanMemory: false,
  };
}
