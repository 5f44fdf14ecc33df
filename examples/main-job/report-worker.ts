// Report worker: takes completed accounts from the queue and counts them by country, until it is
// told that nothing comes any more.

import type { JobKv } from "./schema.js";
import type { Tally } from "./tally.js";

const waitMs = 1_000;

export async function runReportWorker(
  kv: JobKv,
  tally: Tally,
  reported: () => void = () => {},
): Promise<void> {
  for (;;) {
    // Waiting pops are served one after the other; those that need not wait share a sync.
    const finished =
      (await kv.popFirst("finished")) ?? (await kv.popFirstWait("finished", { timeout: waitMs }));
    if (finished === "end") return;
    if (finished === null) continue;
    await kv.incrementBy(`report:${finished.country}`, 1);
    tally.reported++;
    reported();
  }
}
