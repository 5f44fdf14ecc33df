// Operation table: every operation of the library, and what it may do, as data. The library is
// registered from it, calls are sent by it, and docs/formats/valkey.md lists the same names.

/**
 * - "read": changes nothing, and runs where writing is refused (no memory left).
 * - "reap": changes nothing that anybody can observe, but may remove what has expired.
 * - "write": changes something.
 * - "free": a write that makes room, and so runs where no memory is left.
 * - "quiet": a write beside the content: it does not count as a change of it.
 * - "tidy": the same, and runs where no memory is left.
 */
export type OperationKind = "read" | "reap" | "write" | "free" | "quiet" | "tidy";

const named = <Name extends string>(kind: OperationKind, names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, kind])) as Record<Name, OperationKind>;

export const operationTable = {
  ...named("read", ["get", "get_many", "exists", "ttl", "length", "lengths", "range"]),
  ...named("read", ["contains_member", "count_members", "report", "measure", "inspect"]),
  ...named("read", ["dump_values", "dump_arrays", "dump_elements", "dump_buckets"]),
  ...named("read", ["dump_members", "dump_token"]),
  ...named("read", ["piece_values", "piece_arrays", "piece_members", "copy_note", "marked"]),
  ...named("read", ["find_values", "find_arrays", "find_members"]),
  ...named("reap", [
    "scan",
    "scan_keys",
    "count",
    "count_free",
    "list_arrays",
    "list_claims",
    "sample",
    "select_keys",
  ]),
  ...named("reap", ["allocation", "reap"]),
  ...named("write", ["set", "set_many", "increment", "get_or_set", "swap", "compare_swap"]),
  ...named("write", ["claim_random", "claim_keys", "renew_claims", "push", "expire", "persist"]),
  ...named("write", ["add_member", "check_then_add_member", "load_commit", "once"]),
  ...named("free", ["delete", "delete_many", "delete_prefix", "fetch_remove", "compare_delete"]),
  ...named("free", ["pop", "pop_random", "delete_array", "delete_member", "clear_members"]),
  ...named("free", ["clear", "release_claims", "complete_claims", "drop_claims"]),
  ...named("write", ["put_values", "put_elements", "put_members"]),
  ...named("free", ["drop_keys", "drop_members", "once_free"]),
  ...named("tidy", ["once_begin", "once_end", "once_forget", "load_abandon", "mark"]),
  ...named("quiet", ["open", "raise_token", "swap_note"]),
  ...named("quiet", ["load_begin", "load_values", "load_arrays", "load_elements"]),
  ...named("quiet", ["load_build", "load_members"]),
};

export type Operation = keyof typeof operationTable & string;

export const operations = Object.entries(operationTable) as [Operation, OperationKind][];

/**
 * Whether a call may be sent again whatever has become of it: a partition is made once in any case,
 * and a load that has been given up is not gone on with.
 */
export function isRepeatable(operation: Operation): boolean {
  const kind = operationTable[operation];
  return kind === "read" || kind === "reap" || operation === "open" || operation === "load_abandon";
}

/** Flags of a function, as the server knows them. */
export function flagsOf(kind: OperationKind): readonly string[] {
  if (kind === "read") return ["no-writes"];
  return kind === "reap" || kind === "free" || kind === "tidy" ? ["allow-oom"] : [];
}

/** Whether it runs where no memory is left because it makes room. */
export function makesRoom(operation: Operation): boolean {
  return operationTable[operation] === "free";
}
