// Remote measures: what the partitions of a store say of themselves.

import { type Calls, settleAll } from "./calls.js";
import { pageRowsMax } from "./merge.js";
import { flagIn, listIn, numberIn, textIn } from "./replies.js";

/** What the partitions say of themselves, together. */
export interface Measures {
  readonly values: number;
  readonly arrays: number;
  readonly elements: number;
  readonly members: number;
  readonly now: number;
  /** The changes of each partition so far. */
  readonly changes: readonly number[];
}

export interface PartitionReport {
  readonly ordered: number;
  readonly table: number;
  readonly changes: number;
  readonly now: number;
}

export async function reports(calls: Calls): Promise<PartitionReport[]> {
  return (await calls.everywhere("report", [])).map((reply) => {
    const [ordered = 0, table = 0, changes = 0, now = 0] = listIn(reply).map(numberIn);
    return { ordered, table, changes, now };
  });
}

/** Counts everything, arrays and buckets in steps. */
export async function measure(calls: Calls): Promise<Measures> {
  const found = await reports(calls);
  const partitions = found.map((_, partition) => partition);
  const arrays = await settleAll(partitions.map((each) => measureAll(calls, each, "arrays")));
  const members = await settleAll(partitions.map((each) => measureAll(calls, each, "buckets")));
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    values: sum(found.map(({ table }) => table)),
    arrays: sum(arrays.map(({ names }) => names)),
    elements: sum(arrays.map(({ elements }) => elements)),
    members: sum(members.map(({ elements }) => elements)),
    now: Math.max(...found.map(({ now }) => now)),
    changes: found.map(({ changes }) => changes),
  };
}

async function measureAll(
  calls: Calls,
  partition: number,
  what: "arrays" | "buckets",
): Promise<{ names: number; elements: number }> {
  const sum = { names: 0, elements: 0 };
  let after = "";
  while (true) {
    const reply = listIn(await calls.call("measure", partition, [what, after, pageRowsMax]));
    const [done, last, elements, names] = reply;
    sum.elements += numberIn(elements);
    sum.names += numberIn(names);
    if (flagIn(done)) return sum;
    after = textIn(last);
  }
}
