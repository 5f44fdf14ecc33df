// Upkeep: opening, and what is told of the whole store.
//
// The served store removes by itself what has expired, so clients are told that there is nothing to
// do: neither now nor at any moment that they would have to remember.

import { raiseToken } from "../../../operations/piece-writes.js";
import { layoutVersion } from "../../../remote/library.js";
import { type FunctionBodies, query, read, type StepsRun, steps } from "../body.js";
import type { FunctionHost } from "../function-host.js";
import { refusal } from "../refusals.js";

const hasToken = async ({ store }: FunctionHost): Promise<boolean> =>
  store.direct.read((view) => view.counters.has("token"), undefined);

// layout, number of partitions, number of this one
const open: StepsRun = async (call, host) => {
  if (call.text(0) !== `${layoutVersion}`) throw refusal("LAYOUT", `${layoutVersion}`);
  if (call.text(1) !== "1" || call.text(2) !== "0") throw refusal("PARTITIONS", "1");
  const token = host.firstToken();
  // A store that is only read has granted its tokens elsewhere.
  if (token > 0 && !(await hasToken(host))) await host.store.direct.write(raiseToken, token);
  host.isOpen = true;
  return 1;
};

// Layout and number of partitions, "" when nobody has opened it yet.
const inspect: StepsRun = async (_, host) =>
  host.isOpen || (await hasToken(host)) ? [`${layoutVersion}`, "1"] : ["", ""];

export const upkeepBodies: FunctionBodies = {
  open: steps(open),
  inspect: steps(inspect),
  // limit
  reap: query((view) => [0, -1, view.now]),
  report: read((view, _, { store, changesBefore }) => {
    const { size } = view.values;
    return [size, size, changesBefore + store.direct.changes, view.now];
  }),
};
