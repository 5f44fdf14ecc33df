// Pages: a page of 1,000 entries from the end of 1,000,000 keys, against one from the start.

import type { Kv } from "anykv";
import { type Account, account, accountKey } from "../contestants/records.js";
import { load, openMemory } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { cost, elapsedMs } from "../harness/stopwatch.js";
import { atMost, type Effort, ratio, type Workload } from "../harness/workload.js";

const first = "first page";
const last = "last page";
const pagesPerSample = 50;
const walkedPerCall = 100_000;

/** The cursor behind the first `count` keys. */
async function cursorAfter(kv: Kv, count: number): Promise<string> {
  let cursor = "";
  for (let left = count; left > 0; left -= walkedPerCall) {
    ({ cursor } = await kv.scanKeys({ limit: Math.min(left, walkedPerCall), cursor }));
  }
  return cursor;
}

/** Reads a page, checks every entry of it, and gives the time that reading took. */
async function readPage(kv: Kv, cursor: string, firstId: number, limit: number): Promise<number> {
  let entries: { key: string; value: Account }[] = [];
  const ms = await elapsedMs(async () => {
    ({ entries } = await kv.scan<Account>({ limit, cursor }));
  });
  expectAnswer("entries of a page", limit, entries.length);
  for (const [index, { key, value }] of entries.entries()) {
    const id = firstId + index;
    if (key !== accountKey(id) || value.id !== id) expectAnswer("entry", accountKey(id), key);
  }
  return ms;
}

export const pages: Workload = {
  name: "scan",
  title: "scan of a page of 1,000 at the end of 1,000,000 keys, against the start",
  async run(effort: Effort) {
    const [keyCount, limit] = effort === "quick" ? [1_000, 100] : [1_000_000, 1_000];
    const kv = openMemory();
    await load(kv, keyCount, account);
    const lastFirst = keyCount - limit;
    const lastCursor = await cursorAfter(kv, lastFirst);
    const sampleOf = (cursor: string, firstId: number) => async () => {
      let ms = 0;
      for (let page = 0; page < pagesPerSample; page++) {
        ms += await readPage(kv, cursor, firstId, limit);
      }
      return cost(pagesPerSample, ms);
    };
    const contestants = [
      { name: first, sample: sampleOf("", 0) },
      { name: last, sample: sampleOf(lastCursor, lastFirst) },
    ];
    const questions = [ratio(last, first, atMost(1.25))];
    return interleave(effort, { unit: "µs/page", contestants, questions, rounds: 25 });
  },
};
