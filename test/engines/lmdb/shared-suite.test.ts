// Every documented behaviour, on the shared backend.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { sharedFactory } from "./shared-factory.js";

storeSuite({ describe, expect, test }, sharedFactory);
