// The command line: what can be said, and what help tells of it. The work is in the commands.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addBackupCommands } from "./commands/backups.js";
import { addBench } from "./commands/bench.js";
import { addClaims } from "./commands/claims.js";
import { addCompletion } from "./commands/completion.js";
import { addFileCommands } from "./commands/files.js";
import { addQueryCommands } from "./commands/queries.js";
import { addServe } from "./commands/serve.js";
import { addUpkeepCommands } from "./commands/upkeep.js";
import { addValueCommands } from "./commands/values.js";
import { exitCodes, exitCodesHelp } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs one command; resolves with the exit code, whatever happens. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCodes.fine;
  const program = programOn(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help that was asked for is no error; everything else that the parser ends with is one.
    return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  }
}

/** The program, with all that can be said to it. */
export function programOn(terminal: Terminal, finish: (code: number) => void): Command {
  const program = new Command("anykv")
    .description(
      "Works on anykv stores: what is in them, their files and their moves; and serves them.",
    )
    .version(packageVersion())
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.error })
    .exitOverride()
    .showHelpAfterError("(add --help for more)");
  program.addHelpText("after", exitCodesHelp);
  const line = { program, terminal, finish };
  addServe(line);
  addValueCommands(line);
  addQueryCommands(line);
  addClaims(line);
  addFileCommands(line);
  addBackupCommands(line);
  addUpkeepCommands(line);
  addBench(line);
  addCompletion(line);
  return program;
}
