// User process: opens the store that others have open, too, lets its users and report workers work
// there, and reports to the process that has started it.

import { runReportWorkers, runUsers, userNames } from "./crew.js";
import { JournalWriter } from "./journal.js";
import { journalFd, type Order, type Report, type Setup } from "./messages.js";
import { openStore } from "./open-store.js";
import { poolPrefix } from "./schema.js";
import { countCalls, newTally } from "./tally.js";

const reportEveryMs = 100;

const { store: options, users, firstUser } = JSON.parse(process.argv[2] ?? "") as Setup;
const orders = new Set<Order>();
process.on("message", (order: Order) => orders.add(order));

const tally = newTally();
const watch = new JournalWriter(journalFd);
const report = (state: Report["state"]) =>
  new Promise<void>((resolve) => {
    process.send?.({ state, tally } satisfies Report, undefined, {}, () => resolve());
  });

const store = openStore(options);
// Nobody judges what is done when the parent is gone, and the next job must find the place empty.
// The store is closed first: a process does not end well in the middle of its writes.
const leave = () => store.close().finally(() => process.exit(1));
process.once("disconnect", leave);
// It may have gone while this process was starting, before anybody listened.
if (!process.connected) await leave();
const countCall = () => {
  tally.operations++;
};
const kv = countCalls(store, countCall);
const completed = countCalls(store.filter("completed"), countCall);
const isClosed = () => orders.has("closed");
const isDone = async () => orders.has("fed") && (await kv.count({ prefix: poolPrefix })) === 0;

const reporting = runReportWorkers(kv, { tally, watch, users }, () => watch.reported());
const timer = setInterval(() => report("working"), reportEveryMs);
await runUsers({ kv, completed, watch, tally, isClosed, isDone }, userNames(users, firstUser));
await report("users gone");
await reporting;
clearInterval(timer);
await store.close();
await report("gone");
process.removeAllListeners("disconnect");
process.disconnect();
