// Upkeep: opening, and what is told of the whole store.
//
// The one partition of a served store is always there, so opening it changes nothing. The store
// removes by itself what has expired: clients are told that there is nothing to do, neither now nor at
// any moment that they would have to remember.

import { layoutVersion } from "../../../remote/library.js";
import { type FunctionBodies, query, read, type StepsRun, steps } from "../body.js";
import { refusal } from "../refusals.js";

// layout, number of partitions, number of this one
const open: StepsRun = (call) => {
  if (call.text(0) !== `${layoutVersion}`) throw refusal("LAYOUT", `${layoutVersion}`);
  if (call.text(1) !== "1" || call.text(2) !== "0") throw refusal("PARTITIONS", "1");
  return 1;
};

export const upkeepBodies: FunctionBodies = {
  open: steps(open),
  // Layout and number of partitions, then the commands that the caller may not use.
  inspect: steps(() => [`${layoutVersion}`, "1"]),
  // limit
  reap: query((view) => [0, -1, view.now, 0]),
  report: read((view, _, { store, changesBefore }) => {
    const { size } = view.values;
    return [size, size, changesBefore + store.direct.changes, view.now];
  }),
  // sign, "" for none
  mark: steps((call, host) => {
    host.sign = call.text(0);
    return 1;
  }),
  marked: steps((_, { sign }) => sign),
};
