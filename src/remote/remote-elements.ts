// Remote elements: the arrays of a snapshot, each of one state if that can be had.
//
// What has been given cannot be taken back. So an array is held here until its pages have shown to
// be of one state, and read again when it changes. One that is too large for that is given as it
// comes, and so is one that never rests: if it changes then, it is counted as torn.

import type { Stored } from "../engine/stored.js";
import {
  arrayPageIn,
  attemptsMax,
  type FetchElements,
  firstPlan,
  readArray,
} from "./array-pages.js";
import { batchKeysMax, type Calls } from "./calls.js";

/** Of an array: about a megabyte more is held. */
export const heldBytesMax = 16_777_216;

export class ElementReader {
  /** Arrays that are not of one state: elements of them may be missing, or there twice. */
  torn = 0;
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** All elements of an array, some at a time; none when it is gone. */
  async *elements(partition: number, key: string): AsyncGenerator<readonly Stored[], void> {
    const fetch: FetchElements = async (first, limit, state = "") =>
      arrayPageIn(await this.#calls.call("dump_elements", partition, [key, first, limit, state]));
    let plan = firstPlan;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const found = await readArray(fetch, plan, heldBytesMax);
      if (found.elements !== undefined) {
        yield found.elements;
        if (found.elements.length < found.size) {
          yield* this.#rest(fetch, found.elements.length, found.state);
        }
        return;
      }
      plan = found.plan;
    }
    yield* this.#rest(fetch, 0, undefined);
  }

  async *#rest(
    fetch: FetchElements,
    first: number,
    known: string | undefined,
  ): AsyncGenerator<readonly Stored[], void> {
    let [read, state, isTorn] = [first, known, false];
    while (true) {
      const page = await fetch(read, batchKeysMax);
      isTorn ||= state !== undefined && page.state !== state;
      state = page.state;
      yield page.elements;
      read += page.elements.length;
      if (page.elements.length === 0 || read >= page.size) break;
    }
    if (isTorn) this.torn++;
  }
}
