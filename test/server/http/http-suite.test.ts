// The conformance suite through the HTTP door: every call is a POST, every answer fits its schema.

import { storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { httpFactory } from "./http-factory.js";

storeSuite({ describe, expect, test }, httpFactory);
