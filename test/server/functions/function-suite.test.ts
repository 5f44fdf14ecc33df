// Every documented behaviour, through the functions of a served store.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { functionFactory } from "./function-factory.js";

storeSuite({ describe, expect, test }, functionFactory("memory"));
