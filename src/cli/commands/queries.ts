// The commands that look at a store: scan, count and stats.

import type { KvStats } from "../../kv/types.js";
import {
  addStoreCommand,
  type CommandLine,
  integerFrom,
  printJson,
  reporting,
} from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { type StoreFlags, withTarget } from "../open-target.js";
import type { StoreCalls } from "../store-calls.js";
import type { Terminal } from "../terminal.js";
import { count } from "../text.js";
import { jsonValue, lineOf, shownKey } from "../value-text.js";

export function addQueryCommands(line: CommandLine): void {
  addScan(line);
  addCount(line);
  addStats(line);
}

interface ScanFlags extends StoreFlags {
  readonly prefix?: string;
  readonly limit?: number;
  readonly keys?: boolean;
}

const scanText = {
  name: "scan",
  description: "Print keys and values in the order of the keys.",
  details: `A line is the key, a tab and the value as JSON; tabs and the like in a key are written as in JSON.
With --json each line is a JSON object of its own, { "key", "value" }. A scan is no snapshot: what is
written meanwhile may be there or not.`,
  examples: [
    "anykv scan ./.anykv --prefix user: --limit 10",
    "anykv scan --json http://localhost:6381 | jq -r .value.name",
    "anykv scan --keys valkey://localhost:6380 | wc -l",
  ],
};

function addScan(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, scanText)
    .option("--prefix <text>", "only keys that begin so")
    .option("--limit <n>", "at most so many", integerFrom(1))
    .option("--keys", "print no values")
    .action((store: string, flags: ScanFlags) =>
      reporting(line, flags, () =>
        withTarget(terminal, store, flags, { writes: false }, ({ calls }) =>
          scan(terminal, calls, flags),
        ),
      ),
    );
}

const pageKeysMax = 500;

/** Whoever reads slowly is waited for, so that no more than a page is in memory. */
async function scan(terminal: Terminal, calls: StoreCalls, flags: ScanFlags): Promise<ExitCode> {
  const { prefix = "", limit = Number.MAX_SAFE_INTEGER, keys = false } = flags;
  let cursor = "";
  for (let left = limit; left > 0; ) {
    const options = { prefix, cursor, limit: Math.min(left, pageKeysMax) };
    const page = keys ? await calls.scanKeys(options) : await calls.scan(options);
    const lines =
      "keys" in page
        ? page.keys.map((key) => keyLine(key, flags))
        : page.entries.map(({ key, value }) => entryLine(key, value, flags));
    terminal.out(lines.join(""));
    if (page.done || !(await terminal.flushed())) break;
    left -= lines.length;
    cursor = page.cursor;
  }
  return exitCodes.fine;
}

function keyLine(key: string, { json = false }: ScanFlags): string {
  return `${json ? JSON.stringify({ key }) : shownKey(key)}\n`;
}

function entryLine(key: string, value: unknown, { json = false }: ScanFlags): string {
  if (json) return `${JSON.stringify({ key, value: jsonValue(value) })}\n`;
  return `${shownKey(key)}\t${lineOf(value)}\n`;
}

interface CountFlags extends StoreFlags {
  readonly prefix?: string;
}

const countText = {
  name: "count",
  description: "Print the number of values.",
  examples: ["anykv count ./.anykv", "anykv count --prefix user: http://localhost:6381"],
};

function addCount(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, countText)
    .option("--prefix <text>", "only keys that begin so")
    .action((store: string, flags: CountFlags) =>
      reporting(line, flags, async () => {
        const { prefix = "", json = false } = flags;
        const number = await withTarget(terminal, store, flags, { writes: false }, ({ calls }) =>
          calls.count({ prefix }),
        );
        if (json) printJson(terminal, { prefix, count: number });
        else terminal.out(`${number}\n`);
        return exitCodes.fine;
      }),
    );
}

const statsText = {
  name: "stats",
  description: "Print the state of a store: how much is in it, its claims and its files.",
  examples: ["anykv stats ./data/simple_kv", "anykv stats --json valkey://localhost:6380"],
};

function addStats(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, statsText).action((store: string, flags: StoreFlags) =>
    reporting(line, flags, async () => {
      const found = await withTarget(
        ...([terminal, store, flags, { writes: false }] as const),
        async ({ calls, address }) => ({ address, stats: await calls.stats() }),
      );
      if (flags.json) printJson(terminal, found.stats);
      else terminal.out(statsLines(found.address, found.stats));
      return exitCodes.fine;
    }),
  );
}

function statsLines(address: string, stats: KvStats): string {
  const { backend, serialization, claims, disk } = stats;
  const lines = [
    `${address}: backend ${backend}, values as ${serialization}`,
    `  ${count(stats.count, "value")}`,
    `  ${count(claims.live, "claim")} live, ${claims.expired.toLocaleString("en")} expired`,
  ];
  if (disk !== null) {
    const readOnly = disk.readOnly ? ", read-only" : "";
    lines.push(`  ${disk.path}: ${count(disk.sizeBytes, "byte")}${readOnly}`);
  }
  return `${lines.join("\n")}\n`;
}
