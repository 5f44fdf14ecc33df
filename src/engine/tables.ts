// Tables: the shape of every store, as data.
//
// A row is (key, value, deadline). What a row means is the business of `operations`; an engine
// only has to know which tables there are and which of them can be recomputed.
//
//   values    user key                 -> stored value                  deadline: expiry
//   lists     user key                 -> "<id> <head> <tail>"          deadline: expiry
//   items     "<list id>:<index>"      -> stored element
//   claims    user key                 -> "<token> <owner>"             deadline: end of the lease
//   members   "<n>:<bucket><item>"     -> ""                            deadline: expiry
//   counters  name                     -> decimal; "copy" -> note of a copy that is under way
//   garbage   "<list id>"              -> "<head> <tail>", items nobody can reach any more
//
// Invariants (kept by `operations`, checked by the conformance suite)
// 1. A user key is in `values` or in `lists`, never in both.
// 2. Every key of `claims` is a key of `values`.
// 3. `free` (below) holds exactly the keys of `values` that are not in `claims`.

export const tableNames = [
  "values",
  "lists",
  "items",
  "claims",
  "members",
  "counters",
  "garbage",
] as const;

/** The row of `counters` that is the note of a copy. */
export const copyNoteName = "copy";

export type TableName = (typeof tableNames)[number];

/** Tables whose rows vanish by time. `garbage` is not among them: nobody can observe it. */
export const expiringTables = ["values", "claims", "lists", "members"] as const;

export type ExpiringTable = (typeof expiringTables)[number];

/**
 * An index that holds no data of its own: the keys of `source` that are not in `without`.
 * Operations maintain it; an engine may drop it at any time and recompute it when it is asked.
 */
export const freeIndex = { source: "values", without: "claims" } as const;
