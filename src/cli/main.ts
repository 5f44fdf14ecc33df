#!/usr/bin/env node
// The command `anykv`.

import { nodeEnv } from "../env/env.js";
import { runCli } from "./program.js";
import { reportError } from "./report-error.js";
import { processTerminal } from "./terminal.js";

const terminal = processTerminal(nodeEnv);
runCli(process.argv.slice(2), terminal)
  .catch((error: unknown) => reportError(terminal, error, false))
  .then((code) => {
    // Not `exit`: what has been printed may still be on its way through a pipe.
    process.exitCode = code;
  });
