// Pool: loads the accounts, keeps them coming while the job has time, and picks up a job that was
// killed before it was through.

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

  /** Starts a job in an empty store, or goes on with the one that is there. */
  async prepare(completed: CompletedFilter): Promise<void> {
    const loaded = (await this.#kv.find("job:loaded")) ?? 0;
    if (loaded > 0 && (await this.size()) > 0) {
      this.#tally.loaded = loaded;
      await this.#recover(completed);
    } else {
      await this.#kv.clear();
    }
    await this.fill();
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
    await completed.clear();
    await kv.deleteArray("finished");
    for (const prefix of ["completed:", "report:"]) {
      while (!(await kv.deleteByPrefix({ prefix, limit: pageResultsMax })).done);
    }
    let cursor = "";
    do {
      const page = await kv.scan<Result>({ prefix: "result:", limit: pageResultsMax, cursor });
      const accounts = await kv.getMany(page.entries.map(({ key }) => accountKey(key)));
      for (const [index, { key, value }] of page.entries.entries()) {
        if (accounts[index]?.exists === false)
          await this.#recount(accountKey(key), value, completed);
      }
      cursor = page.cursor;
    } while (cursor !== "");
  }

  async #recount(account: string, result: Result, completed: CompletedFilter): Promise<void> {
    this.#tally.completedEarlier++;
    await completed.add(account);
    await this.#kv.incrementBy(`completed:${result.country}`, 1);
    await this.#kv.incrementBy(`report:${result.country}`, 1);
  }
}
