// Operation names: what each public method is called in traces and metrics.
//
// The names are part of the API: dashboards and thresholds are written against them. A method of
// the public class that is missing here is neither traced nor measured, which a test forbids.

/** Methods of `Kv`. Left out are `close`, and `metrics` and `metricsText`, which only look. */
export const operationNames = {
  get: "get",
  find: "find",
  getMany: "get_many",
  set: "set",
  setMany: "set_many",
  delete: "delete",
  deleteIfExists: "delete_if_exists",
  deleteMany: "delete_many",
  deleteByPrefix: "delete_by_prefix",
  fetchRemove: "fetch_remove",
  exists: "exists",
  clear: "clear",

  incrementBy: "increment_by",
  getOrSet: "get_or_set",
  swap: "swap",
  compareAndSwap: "compare_and_swap",
  compareAndSwapDetailed: "compare_and_swap_detailed",
  setIfAbsent: "set_if_absent",
  compareAndDelete: "compare_and_delete",
  compareAndDeleteDetailed: "compare_and_delete_detailed",

  scan: "scan",
  scanKeys: "scan_keys",
  list: "list",
  listKeys: "list_keys",
  size: "size",
  count: "count",
  randomKey: "random_key",
  randomKeys: "random_keys",

  claimRandom: "claim_random",
  claimRandomMany: "claim_random_many",
  claimKey: "claim_key",
  claimKeys: "claim_keys",
  popRandom: "pop_random",
  popRandomMany: "pop_random_many",
  releaseClaim: "release_claim",
  completeClaim: "complete_claim",
  renewClaim: "renew_claim",
  releaseClaims: "release_claims",
  completeClaims: "complete_claims",
  renewClaims: "renew_claims",
  listClaims: "list_claims",

  append: "append",
  prepend: "prepend",
  pop: "pop",
  popFirst: "pop_first",
  popWait: "pop_wait",
  popFirstWait: "pop_first_wait",
  length: "length",
  range: "range",
  deleteArray: "delete_array",
  listArrays: "list_arrays",

  backup: "backup",
  restore: "restore",

  expire: "expire",
  ttl: "ttl",
  persist: "persist",
  exportJSONL: "export_jsonl",
  importJSONL: "import_jsonl",
  validateJSONL: "validate_jsonl",
  exportCSV: "export_csv",
  importCSV: "import_csv",
  validateCSV: "validate_csv",

  stats: "stats",
  allocationStats: "allocation_stats",
  reportStats: "report_stats",
  rebuildKeyList: "rebuild_key_list",
} as const;

/** Methods of `Filter`. */
export const filterOperationNames = {
  contains: "filter_contains",
  add: "filter_add",
  checkThenAdd: "filter_check_then_add",
  delete: "filter_delete",
  size: "filter_size",
  clear: "filter_clear",
} as const;

type NamesOf<Table> = Table[keyof Table];
export type OperationName = NamesOf<typeof operationNames> | NamesOf<typeof filterOperationNames>;

/** The operations that feed `xk6_kv_empty_result` when they succeed: those that draw from a pool. */
export const poolOperations: ReadonlySet<OperationName> = new Set<OperationName>([
  "random_key",
  "random_keys",
  "pop_random",
  "pop_random_many",
  "claim_random",
  "claim_random_many",
  "claim_key",
]);

/** Whether such an operation has found nothing. */
export function isEmptyDraw(result: unknown): boolean {
  return result === null || result === "" || (Array.isArray(result) && result.length === 0);
}
