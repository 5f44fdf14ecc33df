// Every documented behaviour, on the memory backend.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { memoryFactory } from "./memory-factory.js";

storeSuite({ describe, expect, test }, memoryFactory);
