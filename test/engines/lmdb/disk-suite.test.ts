// Every documented behaviour, on the disk backend.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { diskFactory } from "./disk-factory.js";

storeSuite({ describe, expect, test }, diskFactory);
