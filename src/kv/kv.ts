// Kv: the public class. Its methods stand in one file for each family:
//
//   handle.ts   life of a handle        queries.ts  scan, list, count, random keys
//   values.ts   values by key           claims.ts   leases and one-time allocation
//   atomics.ts  read-modify-write       arrays.ts   queues and stacks
//   admin.ts    expiry, filters, diagnostics      files.ts    JSONL and CSV
//   backup.ts   backup and restore
//
// Every method is traced and, where the store was opened so, measured: see observe.ts.

import { AdminMethods } from "./admin.js";
import { ArrayMethods } from "./arrays.js";
import { AtomicMethods } from "./atomics.js";
import { BackupMethods } from "./backup.js";
import { ClaimMethods } from "./claims.js";
import { FileMethods } from "./files.js";
import { Filter } from "./filter.js";
import { observeMethods } from "./observe.js";
import { filterOperationNames, operationNames } from "./operation-names.js";
import { QueryMethods } from "./queries.js";
import type { AnySchema } from "./schema.js";
import { ValueMethods } from "./values.js";

/** A handle on a key-value store. Made by `openKv`. All methods but `filter` return promises. */
export class Kv<Schema = AnySchema> extends BackupMethods<Schema> {}

observeMethods(
  [
    ValueMethods.prototype,
    AtomicMethods.prototype,
    QueryMethods.prototype,
    ClaimMethods.prototype,
    ArrayMethods.prototype,
    AdminMethods.prototype,
    FileMethods.prototype,
    BackupMethods.prototype,
  ],
  operationNames,
);
observeMethods([Filter.prototype], filterOperationNames);
