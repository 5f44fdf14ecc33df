// JSONL transfer: 1,000,000 lines into a store and out of it, against what cannot be done without:
// reading the lines and parsing them, and stringifying the rows and writing them.
//
// Stores are opened by a `DiskContestant`, so that further backends can take part.

import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Kv } from "anykv";
import { inFreshDirectory } from "../contestants/disk-stores.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { load, openMemory, openWal } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

interface Backend {
  readonly name: string;
  open(directory: string): Kv;
}

const memory: Backend = { name: "anykv memory", open: () => openMemory() };
const wal: Backend = { name: "anykv wal", open: (directory) => openWal(join(directory, "wal")) };
const backends: readonly Backend[] = [memory, wal];

const parsing = "read and parse";
const writing = "stringify and write";
const synced = "stringify, write, sync";
const chunkBytes = 262_144;

interface Row {
  readonly key: string;
  readonly value: Account;
}

const rowsOf = (count: number): Row[] =>
  times(count, (id) => ({ key: accountKey(id), value: account(id) }));

/** Gives every line of a file, parsed. */
function parseFile(path: string, use: (row: Row) => void): void {
  const file = openSync(path, "r");
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let rest = "";
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
    const lines = (rest + buffer.toString("latin1", 0, read)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) use(JSON.parse(line) as Row);
  }
  closeSync(file);
}

function writeFile(path: string, rows: readonly Row[], sync: boolean): void {
  const file = openSync(path, "w");
  let pending = "";
  for (const { key, value } of rows) {
    pending += `${JSON.stringify({ key, value })}\n`;
    if (pending.length < chunkBytes) continue;
    writeSync(file, pending);
    pending = "";
  }
  writeSync(file, pending);
  if (sync) fsyncSync(file);
  closeSync(file);
}

function checkParsed(path: string, count: number): void {
  let id = 0;
  parseFile(path, ({ key, value }) => {
    if (value.id !== id || key !== accountKey(id)) wrong("row", id, { key, value });
    id++;
  });
  expectAnswer("rows", count, id);
}

/** Of so many rows one is compared; all are counted. */
const rowsPerCheck = 97;

async function checkStored(kv: Kv, count: number): Promise<void> {
  expectAnswer("size", count, await kv.size());
  for (let id = 0; id < count; id += rowsPerCheck) {
    expectAnswer("value", account(id), await kv.get(accountKey(id)));
  }
}

async function compareImports(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 1_000 : 1_000_000;
  const fileName = join(directory, "rows.jsonl");
  writeFile(fileName, rowsOf(count), false);
  const importers = backends.map(({ name, open }) => ({ name, kv: open(directory) }));
  const contestants = importers.map(({ name, kv }) => ({
    name,
    sample: async () => {
      await kv.clear();
      const ms = await elapsedMs(async () => {
        expectAnswer("imported", count, (await kv.importJSONL({ fileName })).imported);
      });
      await checkStored(kv, count);
      return rate(count, ms);
    },
  }));
  const sample = async () => rate(count, await elapsedMs(async () => checkParsed(fileName, count)));
  const questions = [
    ratio(memory.name, parsing, atLeast(0.5)),
    ratio(wal.name, parsing, atLeast(0.5)),
  ];
  const outcome = await interleave(effort, {
    unit: "rows/s",
    contestants: [...contestants, { name: parsing, sample }],
    questions,
    rounds: 7,
    warmUps: 1,
  });
  for (const { kv } of importers) await kv.close();
  return outcome;
}

async function compareExports(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 1_000 : 1_000_000;
  const fileName = join(directory, "rows.jsonl");
  const rows = rowsOf(count);
  const kv = memory.open(directory);
  await load(kv, count, account);
  const exporting = async (): Promise<number> => {
    const ms = await elapsedMs(async () => {
      expectAnswer("exported", count, (await kv.exportJSONL({ fileName })).exported);
    });
    checkParsed(fileName, count);
    return rate(count, ms);
  };
  const writer = (sync: boolean) => async (): Promise<number> => {
    const ms = await elapsedMs(async () => writeFile(fileName, rows, sync));
    checkParsed(fileName, count);
    return rate(count, ms);
  };
  const contestants = [
    { name: memory.name, sample: exporting },
    { name: writing, sample: writer(false) },
    { name: synced, sample: writer(true) },
  ];
  const questions = [
    ratio(memory.name, writing, atLeast(0.5)),
    ratio(memory.name, synced, atLeast(0.5)),
  ];
  const plan = { unit: "rows/s", contestants, questions, rounds: 7, warmUps: 1 };
  const outcome = await interleave(effort, plan);
  await kv.close();
  return outcome;
}

export const jsonlImport: Workload = {
  name: "jsonl-import",
  title: "importJSONL of 1,000,000 lines, against reading and parsing them alone",
  run: (effort, parent) =>
    inFreshDirectory(parent, (directory) => compareImports(effort, directory)),
};

export const jsonlExport: Workload = {
  name: "jsonl-export",
  title: "exportJSONL of 1,000,000 values, against stringifying and writing the same rows",
  run: (effort, parent) =>
    inFreshDirectory(parent, (directory) => compareExports(effort, directory)),
};
