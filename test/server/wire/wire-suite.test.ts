// Every documented behaviour, through the RESP door of a store in memory and the client of `openKv`.

import { usualSuite } from "../../remote/usual-suite.js";
import { wireFactory } from "./wire-factory.js";

usualSuite(wireFactory({ backend: "memory", protocol: 2 }), {});
