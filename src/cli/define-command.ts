// Define command: what all commands have in common: help with examples and exit codes, errors that
// end as a sentence and an exit code, and the options of a command on a store.

import { type Command, InvalidArgumentError, Option } from "commander";
import { isKvError } from "../base/errors.js";
import { serializations } from "../kv/options/choices.js";
import { parseDuration } from "../kv/options/duration.js";
import { type ExitCode, exitCodesHelp } from "./exit-codes.js";
import { reportError } from "./report-error.js";
import type { Terminal } from "./terminal.js";

/** Where commands are added, and what they do their work with. */
export interface CommandLine {
  readonly program: Command;
  readonly terminal: Terminal;
  readonly finish: (code: number) => void;
}

export interface CommandText {
  readonly name: string;
  readonly description: string;
  /** What is to be said besides, in paragraphs. */
  readonly details?: string;
  /** Each one a line without its prompt. */
  readonly examples: readonly string[];
}

export function addCommand({ program }: CommandLine, text: CommandText): Command {
  const { name, description, details, examples } = text;
  const lines = examples.map((example) => `  $ ${example}`);
  const parts = [...(details === undefined ? [] : [details]), `Examples:\n${lines.join("\n")}`];
  return program
    .command(name)
    .description(description)
    .addHelpText("after", `\n${parts.join("\n\n")}\n${exitCodesHelp}`);
}

export const storeArgument =
  "path of a wal or disk store, or URL: valkey://, unix:// or http:// of a server";
export const libraryArgument =
  "path of a wal or disk store, or URL valkey:// or unix:// of a server";

/** A command on a store that the library or a server has. */
export function addStoreCommand(
  line: CommandLine,
  text: CommandText,
  argument: string = storeArgument,
): Command {
  return addCommand(line, text)
    .argument("<store>", argument)
    .option("--json", "print the result as JSON")
    .addOption(
      new Option(
        "--serialization <mode>",
        "how the store keeps values (default json; known already to an HTTP door)",
      ).choices(serializations),
    );
}

/** Errors end the command as a sentence and an exit code. */
export async function reporting(
  { terminal, finish }: CommandLine,
  { json = false }: { readonly json?: boolean },
  work: () => Promise<ExitCode>,
): Promise<void> {
  let code: ExitCode;
  try {
    code = await work();
    terminal.progress(undefined);
  } catch (error) {
    code = reportError(terminal, error, json);
  }
  finish(code);
}

/** For options: an integer in digits. */
export function integerFrom(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be an integer ${range}.`);
  };
}

/** What comes into being at a path where there is nothing. */
export function backendOption(path: string): Option {
  const what = `what a new ${path} becomes, wal or disk (default disk)`;
  return new Option("--backend <kind>", what).choices(["disk", "wal"]);
}

/** For options: a number with a unit. In a command line a bare number could mean anything. */
export function durationMs(text: string): number {
  try {
    const ms = parseDuration(text, "duration");
    if (ms > 0) return ms;
  } catch (error) {
    if (!isKvError(error)) throw error;
  }
  throw new InvalidArgumentError('It must be a duration like "500ms", "30s" or "1h30m".');
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);
}
