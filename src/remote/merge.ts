// Merge: one page in key order out of the pages of several partitions.

import { compareByteOrder } from "../base/byte-order.js";
import type { ScanRequest } from "../operations/requests.js";
import { settleAll } from "./calls.js";

export interface Page<Row> {
  readonly rows: Row[];
  /** Whether there is nothing behind these rows. */
  readonly done: boolean;
}

export type FetchPage<Row> = (
  partition: number,
  after: string,
  limit: number,
) => Promise<Page<Row>>;

/** Rows that one call is asked for. */
export const pageRowsMax = 1_000;

/** What has come of one partition and has not been given yet. */
class Source<Row> {
  readonly #partition: number;
  readonly #fetch: FetchPage<Row>;
  readonly #keyOf: (row: Row) => string;
  #rows: Row[] = [];
  #next = 0;
  #after: string;
  #done = false;

  constructor(
    partition: number,
    after: string,
    fetch: FetchPage<Row>,
    keyOf: (row: Row) => string,
  ) {
    this.#partition = partition;
    this.#after = after;
    this.#fetch = fetch;
    this.#keyOf = keyOf;
  }

  /** Whether a row can only be told apart from the end by asking. */
  get isDry(): boolean {
    return this.#next === this.#rows.length && !this.#done;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#rows.length && this.#done;
  }

  get head(): Row | undefined {
    return this.#rows[this.#next];
  }

  take(): void {
    this.#next++;
  }

  async fill(limit: number): Promise<void> {
    const page = await this.#fetch(this.#partition, this.#after, limit);
    this.#rows = page.rows;
    this.#next = 0;
    this.#done = page.done;
    const last = page.rows.at(-1);
    if (last !== undefined) this.#after = this.#keyOf(last);
  }
}

/** The rows of all partitions behind `after`, in key order. */
export class MergedRows<Row> {
  readonly #sources: readonly Source<Row>[];
  readonly #keyOf: (row: Row) => string;
  readonly #sizeOf: (row: Row) => number;

  constructor(
    partitions: number,
    after: string,
    fetch: FetchPage<Row>,
    keyOf: (row: Row) => string,
    sizeOf: (row: Row) => number = () => 0,
  ) {
    this.#keyOf = keyOf;
    this.#sizeOf = sizeOf;
    this.#sources = Array.from(
      { length: partitions },
      (_, partition) => new Source(partition, after, fetch, keyOf),
    );
  }

  /**
   * The next `limit` of them, or fewer: the last is then the one with which they become as large as
   * `sizeMax`. O(limit x partitions).
   */
  async take(limit: number, sizeMax = Infinity): Promise<Page<Row>> {
    const rows: Row[] = [];
    for (let room: number | undefined = sizeMax; room !== undefined && rows.length < limit; ) {
      const dry = this.#sources.filter((source) => source.isDry);
      const wanted = Math.min(pageRowsMax, limit - rows.length);
      await settleAll(dry.map((source) => source.fill(wanted)));
      room = this.#takeReady(rows, limit, room);
    }
    return { rows, done: this.#sources.every((source) => source.isAtEnd) };
  }

  /** Takes rows until a source has to be asked again; gives the room left, undefined at the end. */
  #takeReady(rows: Row[], limit: number, sizeMax: number): number | undefined {
    let room = sizeMax;
    while (rows.length < limit && !this.#sources.some((source) => source.isDry)) {
      const source = this.#lowest();
      if (source?.head === undefined) return undefined;
      rows.push(source.head);
      room -= this.#sizeOf(source.head);
      source.take();
      if (room <= 0) return undefined;
    }
    return room;
  }

  #lowest(): Source<Row> | undefined {
    let found: Source<Row> | undefined;
    for (const source of this.#sources) {
      if (source.head === undefined) continue;
      if (found?.head === undefined) found = source;
      else if (compareByteOrder(this.#keyOf(source.head), this.#keyOf(found.head)) < 0) {
        found = source;
      }
    }
    return found;
  }
}

/**
 * Up to `limit` rows behind `after`, 0 for all, and no more than `bytesMax` wants. Each partition is
 * asked in pages; rows that are written meanwhile are there if they lie behind what has been given.
 */
export function mergedPage<Row>(
  partitions: number,
  { after, limit, bytesMax }: Pick<ScanRequest, "after" | "limit" | "bytesMax">,
  fetch: FetchPage<Row>,
  keyOf: (row: Row) => string,
  sizeOf?: (row: Row) => number,
): Promise<Page<Row>> {
  const rows = new MergedRows(partitions, after, fetch, keyOf, sizeOf);
  return rows.take(limit === 0 ? Infinity : limit, bytesMax);
}
