// Recovery probe: brings records back in a process that has done nothing else, and answers with how
// many it did per second. `node --expose-gc build/bench/probes/recovery-probe.js FORM PATH COUNT`

import { readFileSync } from "node:fs";
import { neverSnapshot } from "../contestants/recorded-stores.js";
import { type Account, account, accountKey } from "../contestants/records.js";
import { openWal } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import { rate } from "../harness/stopwatch.js";
import type { Form } from "../workloads/wal-recovery.js";

/** Of so many records one is compared; all are counted. */
const recordsPerCheck = 997;

async function recover(form: "log" | "state", path: string, count: number): Promise<number> {
  const start = performance.now();
  const kv = openWal(path, { snapshotEvery: neverSnapshot });
  const size = await kv.size();
  const ms = performance.now() - start;
  expectAnswer("size", count, size);
  const recovered = (await kv.stats()).disk?.log?.recovered;
  const { records, stateRows } = recovered ?? wrong("recovered", "there", recovered);
  if (form === "log") expectAnswer("replayed", [count, 0], [records, stateRows]);
  else if (stateRows !== count || records > count / 10)
    wrong("rows of the state", count, recovered);
  for (let id = 0; id < count; id += recordsPerCheck) {
    expectAnswer("recovered", account(id), await kv.get(accountKey(id)));
  }
  await kv.close();
  return rate(count, ms);
}

interface Line {
  readonly key: string;
  readonly value: Account;
}

/** Calls back with every line of the file, parsed. */
function forEachLine(path: string, visit: (line: Line) => void): void {
  const text = readFileSync(path, "utf8");
  for (let from = 0, end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
    visit(JSON.parse(text.slice(from, end)));
    from = end + 1;
  }
}

function parseLines(path: string, count: number): number {
  let [lines, ids] = [0, 0];
  const start = performance.now();
  forEachLine(path, ({ value }) => {
    lines++;
    ids += value.id;
  });
  const ms = performance.now() - start;
  expectAnswer("lines", [count, (count * (count - 1)) / 2], [lines, ids]);
  return rate(count, ms);
}

/** The least that a store of JSON text has to do besides. */
function loadLines(path: string, count: number): number {
  const map = new Map<string, string>();
  const start = performance.now();
  forEachLine(path, ({ key, value }) => map.set(key, JSON.stringify(value)));
  const ms = performance.now() - start;
  expectAnswer("entries", count, map.size);
  return rate(count, ms);
}

const [form, path = "", countText] = process.argv.slice(2);

await answer(async () => {
  const count = Number(countText);
  const chosen = form as Form;
  if (chosen === "lines") return parseLines(path, count);
  return chosen === "map" ? loadLines(path, count) : recover(chosen, path, count);
});
