// Command facts: what COMMAND tells of the commands, all of it from their rows.

import type { Argument } from "../argument.js";
import { type Command, CommandError } from "../command.js";
import type { CommandTable } from "../command-table.js";
import type { Encoded, Encoder } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { globOf } from "../glob.js";
import { requestOf } from "../request.js";
import type { Session } from "../session.js";
import { wordAt } from "./options.js";

/** A command of which there is at least one row, with the rows of its subcommands. */
interface Family {
  readonly name: string;
  readonly command: Command | undefined;
  readonly subcommands: readonly Command[];
}

function familiesOf({ commands }: CommandTable): Family[] {
  const names = new Set(commands.map(({ name }) => firstWord(name)));
  return [...names].map((name) => ({
    name,
    command: commands.find((command) => command.name === name),
    subcommands: commands.filter((command) => command.name.startsWith(`${name}|`)),
  }));
}

function firstWord(name: string): string {
  return name.split("|")[0] as string;
}

function factsOf(encode: Encoder, { name, command, subcommands }: Family): Encoded {
  const flags = command?.flags ?? [];
  const [first, last, step] = command?.keys ?? [0, 0, 0];
  const own = subcommands.map((subcommand) =>
    factsOf(encode, { name: subcommand.name, command: subcommand, subcommands: [] }),
  );
  return encode.array([
    encode.bulk(name.toLowerCase()),
    encode.integer(command?.arity ?? -2),
    encode.set(flags.map(encode.simple)),
    ...[encode.integer(first), encode.integer(last), encode.integer(step)],
    encode.set(categoriesOf(command).map(encode.simple)),
    encode.array([]),
    encode.array([]),
    encode.array(own),
  ]);
}

function categoriesOf(command: Command | undefined): string[] {
  if (command === undefined) return ["@slow"];
  const { flags, group } = command;
  const categories = flags.includes("write") ? ["@write"] : [];
  if (flags.includes("readonly")) categories.push("@read");
  if (flags.includes("admin")) categories.push("@admin", "@dangerous");
  if (flags.includes("blocking")) categories.push("@blocking");
  categories.push(flags.includes("fast") ? "@fast" : "@slow");
  return [...categories, `@${group === "generic" ? "keyspace" : group}`];
}

export function all({ encode, server }: Session): Encoded {
  return encode.array(familiesOf(server.table).map((family) => factsOf(encode, family)));
}

export function count({ encode, server }: Session): Encoded {
  return encode.integer(familiesOf(server.table).length);
}

export function info(session: Session, args: readonly Argument[]): Encoded {
  if (args.length === 0) return all(session);
  const { encode, server } = session;
  const facts = args.map((argument) => {
    const family = familyOf(server.table, argument);
    return family === undefined ? encode.nil : factsOf(encode, family);
  });
  return encode.array(facts);
}

function familyOf(table: CommandTable, argument: Argument): Family | undefined {
  const name = String(argument).toUpperCase();
  const family = familiesOf(table).find((candidate) => candidate.name === name);
  if (family !== undefined) return family;
  const command = table.named(argument);
  return command && { name: command.name, command, subcommands: [] };
}

export function list({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const names = familiesOf(server.table)
    .filter(filterIn(args))
    .map(({ name }) => encode.bulk(name.toLowerCase()));
  return encode.array(names);
}

function filterIn(args: readonly Argument[]): (family: Family) => boolean {
  if (args.length === 0) return () => true;
  const value = args[2];
  if (wordAt(args, 0) !== "FILTERBY" || args.length !== 3 || value === undefined) {
    throw syntaxError();
  }
  switch (wordAt(args, 1)) {
    case "PATTERN": {
      const matches = globOf(String(value).toLowerCase());
      return ({ name }) => matches(name.toLowerCase());
    }
    case "ACLCAT":
      return ({ command }) => categoriesOf(command).includes(`@${String(value).toLowerCase()}`);
    case "MODULE":
      return () => false;
    default:
      throw syntaxError();
  }
}

export function docs({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const families =
    args.length === 0
      ? familiesOf(server.table)
      : args.flatMap((argument) => familyOf(server.table, argument) ?? []);
  return encode.map(families.flatMap((family) => docsOf(encode, family)));
}

function docsOf(encode: Encoder, { name, command, subcommands }: Family): Encoded[] {
  const { bulk } = encode;
  const entries: Encoded[] = [];
  if (command !== undefined) {
    entries.push(bulk("summary"), bulk(command.summary), bulk("group"), bulk(command.group));
    entries.push(bulk("complexity"), bulk(command.complexity));
    // redis-cli shows hints made of arguments: one that stands for all of them.
    if (command.syntax !== "") entries.push(bulk("arguments"), argumentsOf(encode, command));
  }
  const own = subcommands.flatMap((subcommand) =>
    docsOf(encode, { name: subcommand.name, command: subcommand, subcommands: [] }),
  );
  if (own.length > 0) entries.push(bulk("subcommands"), encode.map(own));
  return [bulk(name.toLowerCase()), encode.map(entries)];
}

function argumentsOf({ array, bulk, map }: Encoder, { syntax }: Command): Encoded {
  const parts = [bulk("name"), bulk(syntax), bulk("type"), bulk("string")];
  return array([map([...parts, bulk("display_text"), bulk(syntax)])]);
}

export function getKeys({ encode, server }: Session, args: readonly Argument[]): Encoded {
  if (server.table.find(args[0] as Argument) === undefined) {
    throw new CommandError("ERR Invalid command specified");
  }
  const isOfFunctions = /^fcall(?:_ro)?$/i.test(String(args[0]));
  const keys = isOfFunctions ? undefined : checkedRequest(server.table, args).keys;
  const counted = countedKeys(args);
  if (keys === undefined || counted !== undefined) {
    return encode.array((counted ?? []).map(encode.bulk));
  }
  const [first, last, step] = keys;
  if (first === 0) throw new CommandError("ERR The command has no key arguments");
  const end = last < 0 ? args.length + last : last;
  const found: Encoded[] = [];
  for (let at = first; at <= end; at += step) found.push(encode.bulk(args[at] as Argument));
  return encode.array(found);
}

/** Where the number of keys stands, for commands that tell it. */
const keyCounts: ReadonlyMap<string, number> = new Map([
  ["LMPOP", 1],
  ["BLMPOP", 2],
  ["SINTERCARD", 1],
  ["FCALL", 2],
  ["FCALL_RO", 2],
]);

/** undefined for commands that do not tell how many keys they have. */
function countedKeys(args: readonly Argument[]): readonly Argument[] | undefined {
  const name = String(args[0]).toUpperCase();
  const countAt = keyCounts.get(name);
  if (countAt === undefined) return undefined;
  const text = String(args[countAt]);
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  const keys = args.slice(countAt + 1, countAt + 1 + count);
  if (count > 0 && keys.length === count) return keys;
  // A function may have no keys, and what is no number of them counts as none.
  if (name.startsWith("FCALL")) return [];
  throw new CommandError("ERR Invalid arguments specified for command");
}

function checkedRequest(table: CommandTable, args: readonly Argument[]): Command {
  try {
    return requestOf(table, [...args]).command;
  } catch {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
}
