// Stores in files behind the door, as far as a usual run has time: ANYKV_WIRE=all runs everything.

import { someFamilies } from "./some-families.js";
import { wireFactory } from "./wire-factory.js";

for (const backend of ["wal", "disk"] as const) {
  someFamilies(wireFactory({ backend, protocol: 2 }));
}
