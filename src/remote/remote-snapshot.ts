// Remote snapshot: the rows of a store, page by page, while others go on writing.
//
// The server keeps no former rows, so what is written meanwhile may be in later pages. Each partition
// counts its changes: if none has changed from the first call to the last, everything is of one
// instant, and `isExact` says so at the end. An array is given as the elements that were read, with a
// row that spans exactly these, so the rows fit together in any case.
//
// Ids of arrays and tokens are numbered per partition. Here they are told apart, or joined: what
// comes out has the form that every other backend has.

import { never } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import type { TableName } from "../engine/tables.js";
import type { StoreSnapshot } from "../store/store.js";
import type { Calls } from "./calls.js";
import { type FetchPage, MergedRows, pageRowsMax } from "./merge.js";
import { type Measures, measure, reports } from "./remote-measures.js";
import { flagIn, listIn, numberIn, storedIn, textIn } from "./replies.js";

export async function takeSnapshot(
  calls: Calls,
  tables: readonly TableName[],
): Promise<StoreSnapshot> {
  const before = await measure(calls);
  return new RemoteSnapshot(calls, tables, before);
}

class RemoteSnapshot implements StoreSnapshot {
  readonly takenAt: number;
  readonly rows: number;
  isExact = true;
  readonly #calls: Calls;
  readonly #before: Measures;
  readonly #pages: AsyncGenerator<SnapshotRow[], void>;
  #waiting: SnapshotRow[] = [];

  constructor(calls: Calls, tables: readonly TableName[], before: Measures) {
    this.#calls = calls;
    this.#before = before;
    this.takenAt = before.now;
    this.rows = before.values + before.arrays + before.elements + before.members + 1;
    this.#pages = pagesOf(calls, new Set(tables), before.now);
  }

  async next(rowsMax: number): Promise<SnapshotRow[] | undefined> {
    if (this.#waiting.length === 0) {
      const page = await this.#pages.next();
      if (page.done === true) {
        await this.#compare();
        return undefined;
      }
      this.#waiting = page.value;
    }
    return this.#waiting.splice(0, rowsMax);
  }

  close(): void {
    this.#waiting = [];
    void this.#pages.return();
  }

  async #compare(): Promise<void> {
    const after = await reports(this.#calls);
    this.isExact = after.every(({ changes }, index) => changes === this.#before.changes[index]);
  }
}

async function* pagesOf(
  calls: Calls,
  tables: ReadonlySet<TableName>,
  takenAt: number,
): AsyncGenerator<SnapshotRow[], void> {
  for (let partition = 0; partition < calls.partitions; partition++) {
    if (tables.has("lists") || tables.has("items")) yield* arrayPages(calls, partition, takenAt);
    if (tables.has("members")) yield* memberPages(calls, partition);
  }
  if (tables.has("values")) yield* valuePages(calls);
  if (tables.has("counters")) yield await counterRows(calls);
}

function rowOf(
  table: TableName,
  key: string,
  value: Stored,
  deadline: string | undefined,
): SnapshotRow {
  const isMortal = deadline !== undefined && deadline !== "" && deadline !== "inf";
  return { table, key, value, deadline: isMortal ? Number(deadline) : never, again: false };
}

/** In key order over all partitions: files that are written in order are smaller. */
async function* valuePages(calls: Calls): AsyncGenerator<SnapshotRow[], void> {
  const fetch: FetchPage<SnapshotRow> = async (partition, after, limit) => {
    const reply = listIn(await calls.call("dump_values", partition, [after, limit]));
    const rows: SnapshotRow[] = [];
    for (let index = 1; index < reply.length; index += 3) {
      const [key, value, deadline] = reply.slice(index, index + 3);
      rows.push(rowOf("values", textIn(key), storedIn(value), textIn(deadline)));
    }
    return { rows, done: flagIn(reply[0]) };
  };
  const merged = new MergedRows(calls.partitions, "", fetch, ({ key }) => key);
  while (true) {
    const { rows, done } = await merged.take(pageRowsMax);
    yield rows;
    if (done) return;
  }
}

// Arrays that have expired are left out here: their elements come before the row that says so.
async function* arrayPages(
  calls: Calls,
  partition: number,
  takenAt: number,
): AsyncGenerator<SnapshotRow[], void> {
  let after = "";
  while (true) {
    const reply = listIn(await calls.call("dump_arrays", partition, [after, pageRowsMax]));
    for (let index = 1; index < reply.length; index += 3) {
      const [key, id, deadline] = reply.slice(index, index + 3).map(textIn);
      after = `${key}`;
      if (deadline !== "" && Number(deadline) <= takenAt) continue;
      yield* elementPages(calls, partition, [after, `${id}`, `${deadline}`]);
    }
    if (flagIn(reply[0])) return;
  }
}

/** The elements that are there, and then the row that spans them. */
async function* elementPages(
  calls: Calls,
  partition: number,
  [key, id, deadline]: [string, string, string],
): AsyncGenerator<SnapshotRow[], void> {
  const joined = Number(id) * calls.partitions + partition;
  let read = 0;
  while (true) {
    const args = [id, read, pageRowsMax];
    const found = listIn(await calls.call("dump_elements", partition, args));
    const first = read;
    read += found.length;
    yield found.map((element, index) =>
      rowOf("items", `${joined}:${first + index}`, storedIn(element), ""),
    );
    if (found.length < pageRowsMax) break;
  }
  if (read > 0) yield [rowOf("lists", key, `${joined} 0 ${read}`, deadline)];
}

async function* memberPages(calls: Calls, partition: number): AsyncGenerator<SnapshotRow[], void> {
  for (let first = 0; ; first += pageRowsMax) {
    const buckets = listIn(await calls.call("dump_buckets", partition, [first, pageRowsMax]));
    for (const bucket of buckets) yield* bucketPages(calls, partition, textIn(bucket));
    if (buckets.length < pageRowsMax) return;
  }
}

async function* bucketPages(
  calls: Calls,
  partition: number,
  bucket: string,
): AsyncGenerator<SnapshotRow[], void> {
  const prefix = `${bucket.length}:${bucket}`;
  for (let first = 0; ; first += pageRowsMax) {
    const args = [bucket, first, pageRowsMax];
    const found = listIn(await calls.call("dump_members", partition, args)).map(textIn);
    const rows: SnapshotRow[] = [];
    for (let index = 0; index < found.length; index += 2) {
      rows.push(rowOf("members", `${prefix}${found[index]}`, "", found[index + 1]));
    }
    yield rows;
    if (rows.length < pageRowsMax) return;
  }
}

/** The highest numbers of all partitions, as one store would have them. */
async function counterRows(calls: Calls): Promise<SnapshotRow[]> {
  const tokens = (await calls.everywhere("dump_token", [])).map(numberIn);
  const token = Math.max(...tokens);
  // The first token of a partition is the number of partitions, or a little more.
  return token < calls.partitions ? [] : [rowOf("counters", "token", `${token}`, "")];
}
