// Report worker: takes completed accounts from the queue and counts them by country, until it is
// told that nothing comes any more.

import type { Finished, JobKv } from "./schema.js";
import type { Tally } from "./tally.js";

const waitMs = 1_000;

export async function runReportWorker(kv: JobKv, tally: Tally): Promise<void> {
  for (;;) {
    const finished = await kv.popFirstWait<Finished>("finished", { timeout: waitMs });
    if (finished === "end") return;
    if (finished === null) continue;
    await kv.incrementBy(`report:${finished.country}`, 1);
    tally.reported++;
  }
}
