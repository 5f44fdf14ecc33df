// Remote snapshot: the rows of a store, page by page, while others go on writing.
//
// The server keeps no former rows, so what is written meanwhile may be in later pages. Each partition
// counts its changes: if none has changed from the first call to the last, everything is of one
// instant, and `isExact` says so at the end. An array is given as the elements that were read, with a
// row that spans exactly these, and what has become a value meanwhile is not given again, so the rows
// fit together in any case. `tornArrays` counts arrays that are not of one state.
//
// Ids of arrays and tokens are numbered per partition. Here they are told apart, or joined: what
// comes out has the form that every other backend has.

import { isDeepStrictEqual } from "node:util";
import { UnexpectedStoreOutputError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import type { TableName } from "../engine/tables.js";
import type { StoreSnapshot } from "../store/store.js";
import type { Calls } from "./calls.js";
import { type FetchPage, MergedRows, pageRowsMax } from "./merge.js";
import { ElementReader } from "./remote-elements.js";
import { type Measures, measure, reports } from "./remote-measures.js";
import { flagIn, listIn, numberIn, storedIn, textIn } from "./replies.js";

export async function takeSnapshot(
  calls: Calls,
  tables: readonly TableName[],
): Promise<StoreSnapshot> {
  const before = await measure(calls);
  return new RemoteSnapshot(calls, tables, before);
}

type RowCounts = Record<"values" | "elements" | "members", number>;

const countedTables: readonly (readonly [TableName, keyof RowCounts])[] = [
  ["values", "values"],
  ["items", "elements"],
  ["members", "members"],
];

class RemoteSnapshot implements StoreSnapshot {
  readonly takenAt: number;
  readonly rows: number;
  isExact = true;
  readonly #calls: Calls;
  readonly #before: Measures;
  readonly #reader: ElementReader;
  readonly #tables: ReadonlySet<TableName>;
  readonly #pages: AsyncGenerator<readonly SnapshotRow[], void>;
  readonly #given: RowCounts = { values: 0, elements: 0, members: 0 };
  #waiting: readonly SnapshotRow[] = [];
  #next = 0;

  constructor(calls: Calls, tables: readonly TableName[], before: Measures) {
    this.#calls = calls;
    this.#before = before;
    this.takenAt = before.now;
    this.rows = before.values + before.arrays + before.elements + before.members + 1;
    this.#tables = new Set(tables);
    this.#reader = new ElementReader(calls);
    this.#pages = pagesOf(
      { calls, reader: this.#reader, takenAt: before.now, highestId: 0 },
      this.#tables,
    );
  }

  get tornArrays(): number {
    return this.#reader.torn;
  }

  async next(rowsMax: number): Promise<SnapshotRow[] | undefined> {
    if (this.#next >= this.#waiting.length) {
      const page = await this.#pages.next();
      if (page.done === true) {
        await this.#compare();
        return undefined;
      }
      this.#waiting = page.value;
      this.#next = 0;
    }
    const rows = this.#waiting.slice(this.#next, this.#next + rowsMax);
    this.#next += rows.length;
    for (const row of rows) this.#count(row);
    return rows;
  }

  #count({ table, deadline }: SnapshotRow): void {
    if (table === "values") this.#given.values++;
    else if (table === "items") this.#given.elements++;
    else if (table === "members" && deadline > this.takenAt) this.#given.members++;
  }

  close(): void {
    this.#waiting = [];
    this.#next = 0;
    void this.#pages.return();
  }

  async #compare(): Promise<void> {
    const after = await measure(this.#calls);
    const found = (await reports(this.#calls)).map(({ changes }) => changes);
    this.isExact = isDeepStrictEqual(found, this.#before.changes);
    if (this.isExact && after.now >= this.takenAt) this.#refuseLoss(after);
  }

  // While nobody writes, rows only go because they expire: what is still there has been there all the
  // while.
  #refuseLoss(after: Measures): void {
    for (const [table, what] of countedTables) {
      if (!this.#tables.has(table) || this.#given[what] >= after[what]) continue;
      throw new UnexpectedStoreOutputError(
        `the server gave ${this.#given[what]} ${what}, and counts ${after[what]}`,
      );
    }
  }
}

/** What pages are read with. */
interface Source {
  readonly calls: Calls;
  readonly reader: ElementReader;
  readonly takenAt: number;
  /** The highest id of an array that was given. */
  highestId: number;
}

async function* pagesOf(
  source: Source,
  tables: ReadonlySet<TableName>,
): AsyncGenerator<readonly SnapshotRow[], void> {
  const { calls } = source;
  // Of the arrays that were given.
  const keys = new Set<string>();
  for (let partition = 0; partition < calls.partitions; partition++) {
    if (tables.has("lists") || tables.has("items")) yield* arrayPages(source, partition, keys);
    if (tables.has("members")) yield* memberPages(calls, partition);
  }
  if (tables.has("values")) {
    for await (const rows of valuePages(calls)) yield rows.filter(({ key }) => !keys.has(key));
  }
  if (tables.has("counters")) yield await counterRows(source);
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
async function* valuePages(calls: Calls): AsyncGenerator<readonly SnapshotRow[], void> {
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
  source: Source,
  partition: number,
  keys: Set<string>,
): AsyncGenerator<readonly SnapshotRow[], void> {
  const { calls, takenAt } = source;
  let after = "";
  while (true) {
    const reply = listIn(await calls.call("dump_arrays", partition, [after, pageRowsMax]));
    for (let index = 1; index < reply.length; index += 3) {
      const [key, id, deadline] = reply.slice(index, index + 3).map(textIn);
      after = `${key}`;
      if (deadline !== "" && Number(deadline) <= takenAt) continue;
      const read = yield* elementPages(source, partition, [after, `${id}`, `${deadline}`]);
      if (read > 0) keys.add(after);
    }
    if (flagIn(reply[0])) return;
  }
}

/** The elements that are there, and then the row that spans them; how many there were. */
async function* elementPages(
  source: Source,
  partition: number,
  [key, id, deadline]: [string, string, string],
): AsyncGenerator<readonly SnapshotRow[], number> {
  const { calls, reader } = source;
  const joined = Number(id) * calls.partitions + partition;
  source.highestId = Math.max(source.highestId, joined);
  let read = 0;
  for await (const elements of reader.elements(partition, key)) {
    const first = read;
    read += elements.length;
    yield elements.map((element, index) =>
      rowOf("items", `${joined}:${first + index}`, element, ""),
    );
  }
  if (read > 0) yield [rowOf("lists", key, `${joined} 0 ${read}`, deadline)];
  return read;
}

async function* memberPages(
  calls: Calls,
  partition: number,
): AsyncGenerator<readonly SnapshotRow[], void> {
  let after = "";
  while (true) {
    const reply = listIn(await calls.call("dump_buckets", partition, [after, pageRowsMax]));
    const [done, ...buckets] = reply;
    for (const bucket of buckets.map(textIn)) {
      after = bucket;
      yield* bucketPages(calls, partition, bucket);
    }
    if (flagIn(done)) return;
  }
}

// In the order of deadlines, behind the last item: what has expired may be removed meanwhile. An item
// that is given a later deadline meanwhile comes again.
async function* bucketPages(
  calls: Calls,
  partition: number,
  bucket: string,
): AsyncGenerator<readonly SnapshotRow[], void> {
  const prefix = `${bucket.length}:${bucket}`;
  let last: string[] = [];
  while (true) {
    const args = [bucket, pageRowsMax, ...last];
    const found = listIn(await calls.call("dump_members", partition, args)).map(textIn);
    const rows: SnapshotRow[] = [];
    for (let index = 0; index < found.length; index += 2) {
      const row = rowOf("members", `${prefix}${found[index]}`, "", found[index + 1]);
      rows.push({ ...row, again: last.length > 0 });
    }
    yield rows;
    if (rows.length < pageRowsMax) return;
    last = [`${found.at(-1)}`, `${found.at(-2)}`];
  }
}

/** The highest numbers of all partitions, as one store would have them. */
async function counterRows({ calls, highestId }: Source): Promise<SnapshotRow[]> {
  const tokens = (await calls.everywhere("dump_token", [])).map(numberIn);
  const token = Math.max(...tokens);
  // The first token of a partition is the number of partitions, or a little more.
  const rows: SnapshotRow[] = [];
  if (token >= calls.partitions) rows.push(rowOf("counters", "token", `${token}`, ""));
  if (highestId > 0) rows.push(rowOf("counters", "list", `${highestId}`, ""));
  return rows;
}
