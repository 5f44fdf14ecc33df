// Every method in every state of a handle, on the shared backend.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { sharedFactory } from "./shared-factory.js";

lifecycleSuite({ describe, expect, test }, sharedFactory);
