// anykv/testing: what holds a store to its contract.
//
//   storeSuite       every documented behaviour, one test each
//   historySuite     random histories against a plain model, shrunk when they fail
//   lifecycleSuite   every method in every state of a handle
//
// A backend brings a `StoreFactory`, a test framework its `describe`, `test` and `expect`.

export {
  checkHistories,
  type HistoryOptions,
  historySuite,
} from "./history.js";
export type { FastCheckModule } from "./history-arbitrary.js";
export { lifecycleSuite } from "./lifecycle.js";
export * from "./runner.js";
export { seededRandom } from "./seeded-random.js";
export { storeSuite } from "./suite/store-suite.js";
export { type VirtualEnv, type VirtualEnvOptions, virtualEnv } from "./virtual-env.js";
