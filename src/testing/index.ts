// anykv/testing: what holds a store to its contract.
//
//   storeSuite       every documented behaviour, one test each
//   historySuite     random histories against a plain model, shrunk when they fail
//   lifecycleSuite   every method in every state of a handle
//
// A backend brings a `StoreFactory`, a test framework its `describe`, `test` and `expect`.

export { checkHistories, type HistoryOptions, historySuite, runHistory } from "./history.js";
export type { FastCheckModule, History } from "./history-arbitrary.js";
export type { Command } from "./history-commands.js";
export { HistoryError } from "./history-run.js";
export { lifecycleSuite } from "./lifecycle.js";
export { Disagreement, Model, type Outcome, Pending } from "./model.js";
export type { Spread } from "./model-state.js";
export * from "./runner.js";
export { seededRandom } from "./seeded-random.js";
export { storeSuite } from "./suite/store-suite.js";
export { type VirtualEnv, type VirtualEnvOptions, virtualEnv } from "./virtual-env.js";
