// Remote range: elements of an array as they are at one instant, however many calls that takes.
//
// A call gives a page of bounded size, and with it the state of the array: a text that is another one
// after every change of its elements. Pages of one state belong together. When the array changes
// between two of them everything is read again, now with several larger pages asked for at once: a
// server works off what it has received from one client before it turns to the next, so that hardly
// anybody comes between them. They are few, because everybody else waits for them.

import { ServerRefusedError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type * as Request from "../operations/requests.js";
import { batchKeysMax, type Calls, settleAll } from "./calls.js";
import { pageRowsMax } from "./merge.js";
import { listIn, numberIn, storedIn, textIn } from "./replies.js";

/** How often an array is read before it counts as one that never rests. */
const attemptsMax = 10;
/** Pages that are asked for at once: some 50 ms of a server. */
const pagesMax = 5;

interface Page {
  /** Of the array; nothing when there is none. */
  readonly state: string;
  /** Of the whole range. */
  readonly size: number;
  readonly elements: Stored[];
}

/** How a range is divided into the pages that are asked for at once. */
interface Plan {
  readonly pages: number;
  readonly limit: number;
}

/** @throws ServerRefusedError when the array changes during every attempt. */
export async function range(calls: Calls, request: Request.RangeRequest): Promise<Stored[]> {
  let plan: Plan = { pages: 1, limit: pageRowsMax };
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const { pages, limit } = plan;
    const found = await settleAll(
      Array.from({ length: pages }, (_, index) => pageOf(calls, request, index * limit, limit)),
    );
    const elements = await joined(calls, request, found, plan);
    if (elements !== undefined) return elements;
    plan = planAfter(found[0] as Page);
  }
  throw new ServerRefusedError(
    `the array has changed during each of ${attemptsMax} attempts to read what was asked for`,
    {
      key: request.key,
      hint: `ask for a shorter range, of at most ${batchKeysMax} elements and 1 MiB, or of an array that changes less often`,
    },
  );
}

async function pageOf(
  calls: Calls,
  { key, start, end }: Request.RangeRequest,
  skipped: number,
  limit: number,
  state?: string,
): Promise<Page> {
  const args = [key, start, end, skipped, limit, ...(state === undefined ? [] : [state])];
  const reply = await calls.call("range", calls.partitionOf(key), args, { key });
  const [found, size, ...elements] = listIn(reply);
  return { state: textIn(found), size: numberIn(size), elements: elements.map(storedIn) };
}

/**
 * The elements of all pages. Where pages end early, because their elements are large, or the range
 * has grown beyond them, the rest is asked for. Undefined when they are not of one state.
 */
async function joined(
  calls: Calls,
  request: Request.RangeRequest,
  pages: readonly Page[],
  { limit }: Plan,
): Promise<Stored[] | undefined> {
  const { state, size } = pages[0] as Page;
  if (pages.some((page) => page.state !== state)) return undefined;
  const elements: Stored[] = [];
  while (elements.length < size) {
    const read = elements.length;
    const known = read % limit === 0 ? pages[read / limit] : undefined;
    const wanted = limit - (read % limit);
    const page = known ?? (await pageOf(calls, request, read, wanted, state));
    if (page.state !== state) return undefined;
    for (const element of page.elements) elements.push(element);
  }
  return elements;
}

/** Pages as large as the elements allow, and one more for what may be added. */
function planAfter({ size, elements }: Page): Plan {
  const isCutShort = elements.length < Math.min(size, pageRowsMax);
  const limit = isCutShort ? Math.max(1, elements.length) : batchKeysMax;
  return { pages: Math.min(pagesMax, Math.ceil(size / limit) + 1), limit };
}
