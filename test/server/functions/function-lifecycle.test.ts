// Every method in every state of a handle, through the functions of a served store.

import { lifecycleSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { functionFactory } from "./function-factory.js";

lifecycleSuite({ describe, expect, test }, functionFactory("memory"));
