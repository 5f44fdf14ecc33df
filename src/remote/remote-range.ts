// Remote range: a range of an array as it is at one instant, or an error.

import { ServerRefusedError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type * as Request from "../operations/requests.js";
import {
  arrayPageIn,
  attemptsMax,
  type FetchElements,
  firstPlan,
  readArray,
} from "./array-pages.js";
import { batchKeysMax, type Calls } from "./calls.js";

/** @throws ServerRefusedError when the array changes during every attempt. */
export async function range(calls: Calls, request: Request.RangeRequest): Promise<Stored[]> {
  const { key, start, end } = request;
  const fetch: FetchElements = async (skipped, limit, state) => {
    const args = [key, start, end, skipped, limit, ...(state === undefined ? [] : [state])];
    return arrayPageIn(await calls.call("range", calls.partitionOf(key), args, { key }));
  };
  let plan = firstPlan;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const found = await readArray(fetch, plan);
    if (found.elements !== undefined) return found.elements;
    plan = found.plan;
  }
  throw new ServerRefusedError(
    `the array has changed during each of ${attemptsMax} attempts to read what was asked for`,
    {
      key: request.key,
      hint: `ask for a shorter range, of at most ${batchKeysMax} elements and 1 MiB, or of an array that changes less often`,
    },
  );
}
