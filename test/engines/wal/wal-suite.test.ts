// Every documented behaviour, on the wal backend.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { walFactory } from "./wal-factory.js";

storeSuite({ describe, expect, test }, walFactory);
