// Stores in files behind the door, as far as a usual run has time: ANYKV_WIRE=all runs everything.

import { someFamilies } from "./some-families.js";
import { wireFactory } from "./wire-factory.js";

for (const backend of ["wal", "disk"] as const) {
  // Each of thousands of draws waits for the disk. They are uniform there and through the door.
  const spared = backend === "disk" ? ["uniformity"] : [];
  someFamilies(wireFactory({ backend, protocol: 2 }), spared);
}
