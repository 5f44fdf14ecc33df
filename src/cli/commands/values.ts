// The commands on values by key: get, set and del.

import type { Command } from "commander";
import { InvalidOptionsError } from "../../base/errors.js";
import { valueBytesMax } from "../../base/limits.js";
import { checkKey } from "../../kv/arguments.js";
import { checkCanceled } from "../../transfer/transfer.js";
import {
  addStoreCommand,
  backendOption,
  type CommandLine,
  durationMs,
  printJson,
  reporting,
} from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { isHttpUrl } from "../http-calls.js";
import { type StoreFlags, withTarget } from "../open-target.js";
import type { Target } from "../store-calls.js";
import type { Terminal } from "../terminal.js";
import { count } from "../text.js";
import { jsonValue, parseValue } from "../value-text.js";
import { isConfirmed } from "./confirm.js";

export function addValueCommands(line: CommandLine): void {
  addGet(line);
  addSet(line);
  addDel(line);
}

const getText = {
  name: "get",
  description: "Print the value of a key.",
  details: `Text is printed as it is, everything else as JSON; bytes come without a line end behind them.
With --json strings have their quotes, and bytes are base64.`,
  examples: [
    "anykv get ./.anykv user:1",
    "anykv get --json valkey://localhost:6380 user:1 | jq .value",
    "anykv get http://localhost:6381 user:1",
  ],
};

function addGet(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, getText)
    .argument("<key>", "the key")
    .action((store: string, key: string, flags: StoreFlags) =>
      reporting(line, flags, async () => {
        checkKey(key);
        const value = await withTarget(terminal, store, flags, { writes: false }, ({ calls }) =>
          calls.find(key),
        );
        return value === undefined
          ? noSuchKey(terminal, key, flags)
          : printValue(terminal, key, value, flags);
      }),
    );
}

function noSuchKey(terminal: Terminal, key: string, { json = false }: StoreFlags): ExitCode {
  if (json) printJson(terminal, { key, exists: false });
  else terminal.error(`anykv: there is no key ${JSON.stringify(key)}\n`);
  return exitCodes.missing;
}

function printValue(
  terminal: Terminal,
  key: string,
  value: unknown,
  { json = false }: StoreFlags,
): ExitCode {
  if (json) printJson(terminal, { key, exists: true, value: jsonValue(value) });
  else if (value instanceof Uint8Array) terminal.out(value);
  else terminal.out(`${typeof value === "string" ? value : JSON.stringify(value)}\n`);
  return exitCodes.fine;
}

interface SetFlags extends StoreFlags {
  readonly text?: boolean;
  readonly ttl?: number;
  readonly keepTtl?: boolean;
  readonly ifAbsent?: boolean;
  readonly backend?: string;
}

const setText = {
  name: "set",
  description: "Write a value.",
  details: `A store of JSON, the default, takes JSON: 41, '{"a":1}', '"Ada"'; with --text any text, as a string.
A store of strings takes the text, one of bytes its UTF-8. The value "-" is read from the standard
input, as it is, up to its end. The former value and its expiry are replaced.`,
  examples: [
    `anykv set ./.anykv user:1 '{"name":"Ada"}' --ttl 30m`,
    "anykv set valkey://localhost:6380 greeting --text 'Good morning'",
    "anykv set --serialization bytes ./images logo - < logo.png",
  ],
};

function addSet(line: CommandLine): void {
  addStoreCommand(line, setText)
    .argument("<key>", "the key")
    .argument("<value>", 'JSON or text; "-": the standard input')
    .option("--text", "the value is a string as it stands, not JSON")
    .option("--ttl <duration>", 'let the key vanish after this time, as in "30s"', durationMs)
    .option("--keep-ttl", "keep the expiry that the key already has")
    .option("--if-absent", "do nothing if the key is there")
    .addOption(backendOption("path"))
    .action((store: string, key: string, value: string, flags: SetFlags) =>
      reporting(line, flags, () => setCommand(line.terminal, store, key, value, flags)),
    );
}

async function setCommand(
  terminal: Terminal,
  store: string,
  key: string,
  value: string,
  flags: SetFlags,
): Promise<ExitCode> {
  const { text = false, ttl, keepTtl = false, ifAbsent = false, json = false } = flags;
  checkKey(key);
  if (keepTtl && (ifAbsent || ttl !== undefined)) {
    throw new InvalidOptionsError("--keep-ttl goes neither with --ttl nor with --if-absent");
  }
  const given = value === "-" ? await terminal.input(valueBytesMax) : value;
  const use = { writes: true, creates: { backend: flags.backend } };
  // What is no value is refused before a store comes into being; a HTTP door knows how it keeps them.
  const { serialization = "json" } = flags;
  const known = isHttpUrl(store) ? undefined : { value: parseValue(given, serialization, text) };
  const isWritten = await withTarget(terminal, store, flags, use, async (target) => {
    const parsed = known ? known.value : parseValue(given, target.serialization, text);
    if (ifAbsent) return target.calls.setIfAbsent(key, parsed, { ttl });
    await target.calls.set(key, parsed, keepTtl ? { keepTtl } : { ttl });
    return true;
  });
  if (json) printJson(terminal, { key, written: isWritten });
  else if (!isWritten) terminal.error(`anykv: the key ${JSON.stringify(key)} is there already\n`);
  return isWritten ? exitCodes.fine : exitCodes.missing;
}

interface DelFlags extends StoreFlags {
  readonly prefix?: string;
  readonly yes?: boolean;
}

const delText = {
  name: "del",
  description: "Delete values, by their keys or all of a prefix.",
  details: `Keys that are not there are counted and no error. --prefix asks before it deletes, unless --yes is
given too; it deletes page by page, so that what is written meanwhile may stay.`,
  examples: [
    "anykv del ./.anykv user:1 user:2",
    "anykv del --yes --prefix session: valkey://localhost:6380",
  ],
};

function addDel(line: CommandLine): void {
  const command: Command = addStoreCommand(line, delText)
    .argument("[key...]", "the keys")
    .option("--prefix <text>", "delete all values whose key begins so")
    .option("-y, --yes", "do not ask");
  command.action((store: string, keys: string[], flags: DelFlags) =>
    reporting(line, flags, () => delCommand(line.terminal, store, keys, flags)),
  );
}

async function delCommand(
  terminal: Terminal,
  store: string,
  keys: string[],
  flags: DelFlags,
): Promise<ExitCode> {
  const { prefix, json = false } = flags;
  if ((prefix === undefined) === (keys.length === 0)) {
    throw new InvalidOptionsError("del takes keys or --prefix, one of the two");
  }
  if (prefix === "") {
    throw new InvalidOptionsError("--prefix is empty: that would be the whole store");
  }
  for (const key of keys) checkKey(key);
  const result = await withTarget(terminal, store, flags, { writes: true }, (target) =>
    prefix === undefined
      ? target.calls.deleteMany(keys)
      : deletePrefix(terminal, target, prefix, flags),
  );
  if (result === undefined) return exitCodes.usage;
  if (json) printJson(terminal, result);
  else {
    const missing = result.missing > 0 ? `, ${count(result.missing, "key")} not there` : "";
    terminal.out(`${count(result.deleted, "value")} deleted${missing}\n`);
  }
  return exitCodes.fine;
}

const pageKeysMax = 10_000;

async function deletePrefix(
  terminal: Terminal,
  { calls, address }: Target,
  prefix: string,
  { yes = false }: DelFlags,
): Promise<{ deleted: number; missing: number } | undefined> {
  const total = await calls.count({ prefix });
  const what = `${count(total, "value")} whose key begins with ${JSON.stringify(prefix)}`;
  if (!yes && total > 0 && !(await isConfirmed(terminal, `Delete ${what} from ${address}?`))) {
    return undefined;
  }
  const interruption = terminal.interruption();
  let deleted = 0;
  for (let done = false; !done; ) {
    checkCanceled({ signal: interruption });
    const page = await calls.deleteByPrefix({ prefix, limit: pageKeysMax });
    deleted += page.deleted;
    done = page.done;
    terminal.progress(`delete ${deleted.toLocaleString("en")}/${total.toLocaleString("en")}`);
  }
  terminal.progress(undefined);
  return { deleted, missing: 0 };
}
