// Writes that may be sent again, through the door. ANYKV_WIRE=all runs everything.

import { someFamilies } from "./some-families.js";
import { wireFactory } from "./wire-factory.js";

someFamilies(wireFactory({ backend: "memory", protocol: 2, retryWrites: true }));
