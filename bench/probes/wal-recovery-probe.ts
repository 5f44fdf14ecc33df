// Recovery probe: reads so many records from one source and answers with the records per second.
// `node --expose-gc build/bench/probes/wal-recovery-probe.js SOURCE DIRECTORY COUNT`

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openWal } from "../contestants/durable-stores.js";
import { account, accountKey } from "../contestants/records.js";
import { expectAnswer } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import type { Source } from "../workloads/wal-recovery.js";

async function readLines(directory: string, count: number): Promise<number> {
  let found: { key: string; value: unknown }[] = [];
  const ms = await elapsedMs(async () => {
    const lines = readFileSync(join(directory, "lines.jsonl"), "utf8").split("\n");
    lines.pop();
    found = lines.map((line) => JSON.parse(line));
  });
  expectAnswer("lines", count, found.length);
  expectAnswer("the last line", accountKey(count - 1), found.at(-1)?.key);
  return ms;
}

async function openStore(directory: string, count: number): Promise<number> {
  const kv = openWal(directory);
  let size = 0;
  const ms = await elapsedMs(async () => {
    size = await kv.size();
  });
  expectAnswer("size", count, size);
  expectAnswer("the last value", account(count - 1), await kv.get(accountKey(count - 1)));
  await kv.close();
  return ms;
}

const [source, directory = "", countText] = process.argv.slice(2);

await answer(async () => {
  const count = Number(countText);
  const ms =
    (source as Source) === "lines"
      ? await readLines(directory, count)
      : await openStore(join(directory, source as Source), count);
  return rate(count, ms);
});
