// Every method in every state of a handle, on the disk backend.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { diskFactory } from "./disk-factory.js";

lifecycleSuite({ describe, expect, test }, diskFactory);
