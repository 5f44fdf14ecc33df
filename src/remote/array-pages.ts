// Array pages: elements of an array as they are at one instant, however many calls that takes.
//
// A call gives a page of bounded size, and with it the state of the array: a text that is another one
// after every change of its elements. Pages of one state belong together. When the array changes
// between two of them everything is read again, now with several larger pages asked for at once: a
// server works off what it has received from one client before it turns to the next, so that hardly
// anybody comes between them. They are few, because everybody else waits for them.

import type { Stored } from "../engine/stored.js";
import { batchKeysMax, settleAll } from "./calls.js";
import type { Reply } from "./connection.js";
import { pageRowsMax } from "./merge.js";
import { listIn, numberIn, storedIn, textIn } from "./replies.js";

/** How often an array is read before it counts as one that never rests. */
export const attemptsMax = 10;
/** Pages that are asked for at once: some 50 ms of a server. */
const pagesMax = 5;

export interface ArrayPage {
  /** Of the array; nothing when there is none. */
  readonly state: string;
  /** Of all that is read. */
  readonly size: number;
  readonly elements: readonly Stored[];
}

/** Gives no elements if the array has another state than the one that is asked for. */
export type FetchElements = (skipped: number, limit: number, state?: string) => Promise<ArrayPage>;

/** How what is read is divided into the pages that are asked for at once. */
export interface Plan {
  readonly pages: number;
  readonly limit: number;
}

export const firstPlan: Plan = { pages: 1, limit: pageRowsMax };

export interface Attempt {
  readonly state: string;
  readonly size: number;
  /** Of one state, the first ones when they are large; undefined when the array has changed. */
  readonly elements: Stored[] | undefined;
  /** How to try again. */
  readonly plan: Plan;
}

/** `[state, size, element, ...]` */
export function arrayPageIn(reply: Reply): ArrayPage {
  const [state, size, ...elements] = listIn(reply);
  return { state: textIn(state), size: numberIn(size), elements: elements.map(storedIn) };
}

/** Reads everything, or until it is about `bytesMax`. */
export async function readArray(
  fetch: FetchElements,
  plan: Plan,
  bytesMax = Infinity,
): Promise<Attempt> {
  const { pages, limit } = plan;
  const found = await settleAll(
    Array.from({ length: pages }, (_, index) => fetch(index * limit, limit)),
  );
  const first = found[0] as ArrayPage;
  const { state, size } = first;
  const elements = await joined(fetch, found, plan, bytesMax);
  return { state, size, elements, plan: planAfter(first) };
}

/**
 * The elements of all pages. Where pages end early, because their elements are large, or there are
 * more of them by now, the rest is asked for. Undefined when they are not of one state.
 */
async function joined(
  fetch: FetchElements,
  pages: readonly ArrayPage[],
  { limit }: Plan,
  bytesMax: number,
): Promise<Stored[] | undefined> {
  const { state, size } = pages[0] as ArrayPage;
  if (pages.some((page) => page.state !== state)) return undefined;
  const elements: Stored[] = [];
  let bytes = 0;
  while (elements.length < size && bytes < bytesMax) {
    const read = elements.length;
    const known = read % limit === 0 ? pages[read / limit] : undefined;
    const page = known ?? (await fetch(read, limit - (read % limit), state));
    if (page.state !== state) return undefined;
    for (const element of page.elements) {
      elements.push(element);
      bytes += element.length;
    }
  }
  return elements;
}

/** Pages as large as the elements allow, and one more for what may be added. */
function planAfter({ size, elements }: ArrayPage): Plan {
  const isCutShort = elements.length < Math.min(size, pageRowsMax);
  const limit = isCutShort ? Math.max(1, elements.length) : batchKeysMax;
  return { pages: Math.min(pagesMax, Math.ceil(size / limit) + 1), limit };
}
