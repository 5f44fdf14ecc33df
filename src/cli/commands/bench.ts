// The command bench: how fast a store is here and now, without harm to what is in it.
//
// Invariants
// 1. Every key that is written, read, claimed or deleted begins with a prefix of this run, which
//    nobody else uses.
// 2. They are removed however the run ends; those of a process that is killed expire.

import { randomBytes } from "node:crypto";
import { checkCanceled } from "../../transfer/transfer.js";
import {
  addStoreCommand,
  type CommandLine,
  integerFrom,
  printJson,
  reporting,
} from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { type Measured, type Measuring, measure } from "../measure.js";
import { type StoreFlags, withTarget } from "../open-target.js";
import type { StoreCalls, Target } from "../store-calls.js";
import type { Terminal } from "../terminal.js";

interface BenchFlags extends StoreFlags {
  readonly seconds: number;
  readonly concurrency: number;
  readonly keys: number;
  readonly valueSize: number;
}

const rounds = 5;
/** A process that is killed leaves its keys behind for so long. */
const keyTtlMs = 600_000;
const removedKeysMax = 1_000;

const benchText = {
  name: "bench",
  description: "Measure set, get and claims of a store.",
  details: `It works on keys of its own, under a prefix that nobody else has, and removes them; those of a run that
is killed expire after ten minutes. What is in the store stays as it is, but whoever uses it shares
its speed with the run.

Each operation is measured in ${rounds} rounds after one that warms up; the lowest and the highest rate show
how far the median is to be believed. Times are of single calls as they are seen here, network and
JavaScript included. A claim is claimRandom and releaseClaim, two calls.`,
  examples: [
    "anykv bench ./.anykv",
    "anykv bench valkey://localhost:6380 --concurrency 64 --seconds 5",
    "anykv bench --json http://localhost:6381 | jq .set.medianPerSecond",
  ],
};

export function addBench(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, benchText)
    .option("--seconds <n>", "for each operation", integerFrom(1, 3_600), 2)
    .option("--concurrency <n>", "calls under way at once", integerFrom(1, 10_000), 16)
    .option("--keys <n>", "different keys", integerFrom(1, 1_000_000), 1_000)
    .option("--value-size <bytes>", "of each value", integerFrom(0, 16_777_216), 64)
    .action((store: string, flags: BenchFlags) =>
      reporting(line, flags, () => {
        const signal = terminal.interruption();
        return withTarget(terminal, store, flags, { writes: true }, (target) =>
          bench(terminal, target, flags, signal),
        );
      }),
    );
}

async function bench(
  terminal: Terminal,
  target: Target,
  flags: BenchFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const prefix = `anykv-bench:${randomBytes(8).toString("hex")}:`;
  const { backend } = await target.calls.stats();
  const measuring = {
    ...{ rounds, signal, concurrency: flags.concurrency },
    roundMs: (flags.seconds * 1_000) / rounds,
  };
  let results: Record<string, Measured>;
  try {
    results = await measureAll(terminal, target, flags, measuring, prefix);
  } finally {
    terminal.progress("removing the keys of the measurement");
    await removeKeys(target.calls, prefix);
    terminal.progress(undefined);
  }
  const { concurrency, keys, valueSize, json = false } = flags;
  const setting = { store: target.address, backend, concurrency, keys, valueSize, rounds };
  if (json) printJson(terminal, { ...setting, ...results });
  else terminal.out(benchLines(setting, results));
  return exitCodes.fine;
}

/** Every key is written before the first one is read or claimed. */
async function measureAll(
  terminal: Terminal,
  { calls, serialization }: Target,
  { keys, valueSize }: BenchFlags,
  measuring: Measuring,
  prefix: string,
): Promise<Record<string, Measured>> {
  const text = "x".repeat(valueSize);
  const value = serialization === "bytes" ? Buffer.from(text) : text;
  const write = (number: number): Promise<unknown> =>
    calls.set(prefix + (number % keys), value, { ttl: keyTtlMs });
  const run = (name: string, call: (number: number) => Promise<unknown>): Promise<Measured> =>
    measure(measuring, call, (round) => terminal.progress(`${name} ${round}/${rounds}`));
  const set = await run("set", write);
  for (let number = 0; number < keys; number++) {
    checkCanceled(measuring);
    await write(number);
  }
  const get = await run("get", (number) => calls.find(prefix + (number % keys)));
  const claim = await run("claim", () => claimOnce(calls, prefix));
  return { set, get, claim };
}

/** Nothing is free when more calls are under way than there are keys. */
async function claimOnce(calls: StoreCalls, prefix: string): Promise<void> {
  const claim = await calls.claimRandom({ prefix, owner: "anykv bench" });
  if (claim !== null) await calls.releaseClaim(claim);
}

async function removeKeys(calls: StoreCalls, prefix: string): Promise<void> {
  for (let done = false; !done; ) {
    ({ done } = await calls.deleteByPrefix({ prefix, limit: removedKeysMax }));
  }
}

interface Setting {
  readonly store: string;
  readonly backend: string;
  readonly concurrency: number;
  readonly valueSize: number;
}

function benchLines(
  { store, backend, concurrency, valueSize }: Setting,
  results: Record<string, Measured>,
): string {
  const columns = ["ops/s", "lowest", "highest", "median ms", "p99 ms"];
  const lines = [
    `${store}: backend ${backend}, ${concurrency} at once, values of ${valueSize} bytes`,
    "operation".padEnd(10) + columns.map((column) => column.padStart(11)).join(""),
  ];
  for (const [name, measured] of Object.entries(results)) {
    const { medianPerSecond, lowestPerSecond, highestPerSecond, medianMs, p99Ms } = measured;
    const rates = [medianPerSecond, lowestPerSecond, highestPerSecond].map((rate) =>
      Math.round(rate).toLocaleString("en"),
    );
    const cells = [...rates, medianMs.toFixed(3), p99Ms.toFixed(3)];
    lines.push(name.padEnd(10) + cells.map((cell) => cell.padStart(11)).join(""));
  }
  return `${lines.join("\n")}\n`;
}
