// Request: which command the words of a client mean, or why they mean none.

import type { Argument } from "./argument.js";
import {
  type Command,
  CommandError,
  type DataBody,
  type ReadBody,
  type SessionBody,
  type WriteBody,
} from "./command.js";
import type { CommandTable, Entry } from "./command-table.js";
import type { Call } from "./executor.js";

/** A command that is known, with as many arguments as it may have. */
export interface Request {
  readonly entry: Entry;
  readonly command: Command;
  readonly body: DataBody | SessionBody;
  /** Without the name and the subcommand. */
  readonly args: readonly Argument[];
}

export const authenticationRequired = "NOAUTH Authentication required.";
const shownCharsMax = 128;

/**
 * Of a client that has said who it is, or need not; what a stranger calls is not looked at: the answer
 * would tell of the store.
 *
 * @throws CommandError
 */
export function requestOf(table: CommandTable, words: Argument[], isKnown = true): Request {
  const entry = table.find(words[0] as Argument);
  if (entry === undefined) throw unknownCommand(words);
  const { command, subcommands } = entry;
  if (command === undefined || (subcommands !== undefined && words.length > 1)) {
    return subrequestOf(entry, words, isKnown);
  }
  checkArity(command, words.length);
  words.shift();
  return complete(entry, command, words, isKnown);
}

function subrequestOf(entry: Entry, words: Argument[], isKnown: boolean): Request {
  const { name, subcommands } = entry;
  const word = words[1];
  if (word === undefined) throw wrongNumber(name);
  const command = typeof word === "string" ? subcommands?.get(word.toUpperCase()) : undefined;
  if (command === undefined) {
    const shown = shownText(word).slice(0, shownCharsMax);
    throw new CommandError(`ERR unknown subcommand '${shown}'. Try ${name} HELP.`);
  }
  checkArity(command, words.length);
  words.splice(0, 2);
  return complete(entry, command, words, isKnown);
}

function complete(
  entry: Entry,
  command: Command,
  args: readonly Argument[],
  isKnown: boolean,
): Request {
  const { body } = command;
  if (body.kind !== "chosen") return { entry, command, body, args };
  if (!isKnown) throw new CommandError(authenticationRequired);
  return { entry, command, body: body.choose(args), args };
}

function checkArity({ arity, name }: Command, words: number): void {
  if (arity >= 0 ? words !== arity : words < -arity) throw wrongNumber(name);
}

function wrongNumber(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

function unknownCommand(words: readonly Argument[]): CommandError {
  const name = shownText(words[0] as Argument).slice(0, shownCharsMax);
  let args = "";
  for (const word of words.slice(1)) {
    if (args.length >= shownCharsMax) break;
    args += `'${shownText(word).slice(0, shownCharsMax - args.length)}' `;
  }
  return new CommandError(`ERR unknown command '${name}', with args beginning with: ${args}`);
}

function shownText(argument: Argument): string {
  return typeof argument === "string" ? argument : Buffer.from(argument).toString("utf8");
}

/** Whether a line of HTTP stands in the place of a command. */
export function isOfHttp(name: Argument | undefined): boolean {
  return typeof name === "string" && /^(?:post|host:)$/i.test(name);
}

/** One that can share a transaction with others. */
export type DataRequest = Request & Call<ReadBody | WriteBody>;

export function isShareable(request: Request | CommandError): request is DataRequest {
  return (
    !(request instanceof CommandError) &&
    (request.body.kind === "read" || request.body.kind === "write")
  );
}

export function mayBeLong(request: Request | CommandError): boolean {
  return !(request instanceof CommandError) && request.command.complexity !== "O(1)";
}
