// Pool: loads the accounts, keeps them coming while the job has time, and picks up a job that was
// killed before it was through.

import type { Entry } from "anykv";
import {
  type Account,
  type AccountKey,
  accountKey,
  type CompletedFilter,
  type JobKv,
  poolPrefix,
  type Result,
} from "./schema.js";
import type { Tally } from "./tally.js";

const batchAccountsMax = 1_000;
const pageResultsMax = 1_000;

/** What a store holds before the job begins. */
export type Found = "nothing" | "interrupted job" | "finished job" | "something else";

export class Pool {
  readonly #kv: JobKv;
  readonly #tally: Tally;
  readonly #records: readonly Account[];
  readonly #sizeFull: number;

  constructor(kv: JobKv, tally: Tally, records: readonly Account[], sizeFull: number) {
    this.#kv = kv;
    this.#tally = tally;
    this.#records = records;
    this.#sizeFull = sizeFull;
  }

  size(): Promise<number> {
    return this.#kv.count({ prefix: poolPrefix });
  }

  /** Looks, and changes nothing: whatever is not a job belongs to somebody. */
  async look(): Promise<Found> {
    if (await this.#kv.exists("job:finished")) return "finished job";
    if (await this.#kv.exists("job:loaded")) return "interrupted job";
    const arrays = await this.#kv.listArrays({ limit: 1 });
    return (await this.#kv.size()) === 0 && arrays.length === 0 ? "nothing" : "something else";
  }

  /** Starts afresh, or goes on with the job that is there; then fills the pool. */
  async prepare(found: Found, completed: CompletedFilter): Promise<void> {
    if (found === "interrupted job") await this.#recover(completed);
    else if (found === "finished job") await this.#kv.clear();
    await this.fill();
  }

  /** Marks the job as finished, unless accounts are left. */
  async finish(): Promise<void> {
    if ((await this.size()) === 0) await this.#kv.set("job:finished", true);
  }

  /** Loads accounts until the pool is full; a record comes again once all have had their turn. */
  async fill(): Promise<void> {
    let missing = this.#sizeFull - (await this.size());
    while (missing > 0) {
      const count = Math.min(missing, batchAccountsMax);
      await this.#load(count);
      missing -= count;
    }
  }

  /** Refills the pool whenever half of it is gone, as long as there is time. */
  async feed(hasTime: () => boolean, pause: () => Promise<unknown>): Promise<void> {
    while (hasTime()) {
      if ((await this.size()) <= this.#sizeFull / 2) await this.fill();
      await pause();
    }
  }

  async #load(count: number): Promise<void> {
    const first = this.#tally.loaded;
    const batch: Record<AccountKey, Account> = {};
    for (let number = first; number < first + count; number++) {
      batch[`account:${number}`] = this.#records[number % this.#records.length] as Account;
    }
    // One batch is written entirely or not at all, so the count cannot differ from the accounts.
    await this.#kv.setMany({ ...batch, "job:loaded": first + count });
    this.#tally.loaded = first + count;
  }

  /** Makes the counters and the filter anew from the results whose accounts are gone. */
  async #recover(completed: CompletedFilter): Promise<void> {
    const kv = this.#kv;
    this.#tally.loaded = (await kv.find("job:loaded")) ?? 0;
    await completed.clear();
    await kv.deleteArray("finished");
    for (const prefix of ["completed:", "report:"]) {
      while (!(await kv.deleteByPrefix({ prefix, limit: pageResultsMax })).done);
    }
    const counts = new Map<string, number>();
    for await (const done of completedResults(kv)) {
      // At once, so that a store that waits for the disk waits once for all of them.
      await Promise.all(done.map(({ key }) => completed.add(accountKey(key))));
      for (const { value } of done) counts.set(value.country, (counts.get(value.country) ?? 0) + 1);
      this.#tally.completedEarlier += done.length;
    }
    await Promise.all([...counts].map(([country, count]) => this.#recount(country, count)));
  }

  async #recount(country: string, count: number): Promise<void> {
    await this.#kv.incrementBy(`completed:${country}`, count);
    await this.#kv.incrementBy(`report:${country}`, count);
  }
}

/** The results of the accounts that are completed, page by page. */
export async function* completedResults(kv: JobKv): AsyncGenerator<Entry<Result>[]> {
  let cursor = "";
  do {
    const page = await kv.scan<Result>({ prefix: "result:", limit: pageResultsMax, cursor });
    const inPool = await kv.getMany(page.entries.map(({ key }) => accountKey(key)));
    yield page.entries.filter((_, index) => inPool[index]?.exists === false);
    cursor = page.cursor;
  } while (cursor !== "");
}
