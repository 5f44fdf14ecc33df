// Every method in every state of a handle, on the memory backend.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { memoryFactory } from "./memory-factory.js";

lifecycleSuite({ describe, expect, test }, memoryFactory);
