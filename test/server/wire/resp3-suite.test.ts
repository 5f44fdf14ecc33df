// The same over RESP3, as far as a usual run has time: ANYKV_WIRE=all runs everything.

import { someFamilies } from "./some-families.js";
import { wireFactory } from "./wire-factory.js";

someFamilies(wireFactory({ backend: "memory", protocol: 3 }));
