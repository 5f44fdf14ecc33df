// The suite through the functions of stores whose operations are awaited, as far as a usual run has
// time; ANYKV_REMOTE=all asks for everything.

import { usualSuite } from "../../remote/usual-suite.js";
import { functionFactory } from "./function-factory.js";

usualSuite(functionFactory("disk"), {});
if (process.env.ANYKV_REMOTE === "all") usualSuite(functionFactory("synced wal"), {});
