// Every documented behaviour, on the wal backend: with writes that wait for the log's buffer, and
// with writes that wait for the disk.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { syncedWalFactory, walFactory } from "./wal-factory.js";

storeSuite({ describe, expect, test }, walFactory);
storeSuite({ describe, expect, test }, syncedWalFactory);
