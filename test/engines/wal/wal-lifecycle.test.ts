// Every method in every state of a handle, on the wal backend.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { walFactory } from "./wal-factory.js";

lifecycleSuite({ describe, expect, test }, walFactory);
