// The catalogue of errors: each name, its code, when it is raised, and what the caller can do.
//
// Invariants
// 1. A code belongs to one name for ever. A retired error leaves both behind; neither gets a new
//    meaning, because callers and other hosts dispatch on them.
// 2. `errors.ts` has one class for each entry, and docs/errors.md lists exactly these entries.
// `when` and `remedy` are one sentence each, in Markdown, and end up in that page as they are.

export interface ErrorEntry {
  /** The class, and the `name` of its instances. */
  readonly name: string;
  /** Stable: `ANYKV_` and the name in upper snake case without `Error`. */
  readonly code: `ANYKV_${string}`;
  /** When the error is raised. */
  readonly when: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** All errors of anykv, ordered by subject. */
export const errorCatalogue = [
  // Arguments and options.
  {
    name: "InvalidOptionsError",
    code: "ANYKV_INVALID_OPTIONS",
    when: "An argument, an option or a key of a configuration has the wrong shape, type or range, a key is empty or too long, or entries of a `setMany` cannot be stored (see `errors`).",
    remedy: "Correct what the message names.",
  },
  {
    name: "InvalidBackendError",
    code: "ANYKV_INVALID_BACKEND",
    when: "`openKv` was given a `backend` that does not exist.",
    remedy: "Use one of the backends that the message lists, in lower case.",
  },
  {
    name: "InvalidSerializationError",
    code: "ANYKV_INVALID_SERIALIZATION",
    when: "`openKv` was given a `serialization` that does not exist.",
    remedy: "Use one of the modes that the message lists, in lower case.",
  },
  {
    name: "KVOptionsConflictError",
    code: "ANYKV_KV_OPTIONS_CONFLICT",
    when: "`openKv` was called with options that differ from those the same store was opened with first.",
    remedy: "Open every handle with the same options, or give the other store a `name` of its own.",
  },
  {
    name: "InvalidCursorError",
    code: "ANYKV_INVALID_CURSOR",
    when: "The cursor given to `scan`, `scanKeys` or `listClaims` cannot be decoded.",
    remedy: "Pass the `cursor` of the previous page unchanged, or leave it out to start over.",
  },
  {
    name: "BackupOptionsRequiredError",
    code: "ANYKV_BACKUP_OPTIONS_REQUIRED",
    when: "A backup was started without the options that it needs.",
    remedy: "Pass an options object to `backup`.",
  },
  {
    name: "RestoreOptionsRequiredError",
    code: "ANYKV_RESTORE_OPTIONS_REQUIRED",
    when: "A restore was started without the options that it needs.",
    remedy: "Pass an options object to `restore`.",
  },
  // Keys and values.
  {
    name: "KeyNotFoundError",
    code: "ANYKV_KEY_NOT_FOUND",
    when: "`get` was asked for a key that does not exist or has expired.",
    remedy: "Handle the missing key, or call `find`, which resolves to `undefined` instead.",
  },
  {
    name: "WrongTypeError",
    code: "ANYKV_WRONG_TYPE",
    when: "A value operation met a key that holds an array, or an array operation a key that holds a value.",
    remedy: "Use the operations of the kind that the key holds, or delete the key first.",
  },
  {
    name: "SerializerError",
    code: "ANYKV_SERIALIZER",
    when: "A value cannot be stored in the store's serialization, or a stored value cannot be read in it.",
    remedy:
      "Change the part of the value that the message names, or open the store with the serialization that it was written with.",
  },
  {
    name: "UnsupportedValueTypeError",
    code: "ANYKV_UNSUPPORTED_VALUE_TYPE",
    when: "An engine was given something that is neither text nor bytes.",
    remedy:
      "Serialize values before handing them to an engine; from the public interface this is a defect to report.",
  },
  {
    name: "ValueNumberRequiredError",
    code: "ANYKV_VALUE_NUMBER_REQUIRED",
    when: "The delta of `incrementBy` is not a whole number within 64 bits.",
    remedy: "Pass a number without a fraction between -2^63 and 2^63-1.",
  },
  {
    name: "ValueParseError",
    code: "ANYKV_VALUE_PARSE",
    when: "A counter holds no whole decimal number or would leave 64 bits, or the content of a JSONL or CSV file is malformed.",
    remedy: "Correct the value, or the row or line that the message names.",
  },
  {
    name: "StaleClaimError",
    code: "ANYKV_STALE_CLAIM",
    when: "A write was guarded by a claim that has expired, was released or completed, or belongs to another holder by now.",
    remedy: "Treat the work as lost, claim the key again and start from its present value.",
  },
  // The life of a store.
  {
    name: "BackendUnavailableError",
    code: "ANYKV_BACKEND_UNAVAILABLE",
    when: "The backend exists by name, but not in this version, or its package or its system support cannot be loaded here.",
    remedy: "Install what the message names, or use the backend that it suggests.",
  },
  {
    name: "StoreClosedError",
    code: "ANYKV_STORE_CLOSED",
    when: "A handle or a registry of stores was used after its `close`.",
    remedy: "Open a new handle with `openKv`, and close only after the last operation has settled.",
  },
  {
    name: "DatabaseNotOpenError",
    code: "ANYKV_DATABASE_NOT_OPEN",
    when: "A handle has no store behind it.",
    remedy: "Obtain handles from `openKv` only.",
  },
  {
    name: "StoreReadOnlyError",
    code: "ANYKV_STORE_READ_ONLY",
    when: "An operation that may write was called on a store that was opened read-only.",
    remedy: "Open the store without `readOnly`, or use reading operations only.",
  },
  {
    name: "OperationCanceledError",
    code: "ANYKV_OPERATION_CANCELED",
    when: "The caller's `AbortSignal` ended the operation; batches that were committed before stay.",
    remedy: "Nothing if it was intended; otherwise call again, with a later deadline.",
  },
  {
    name: "BackupInProgressError",
    code: "ANYKV_BACKUP_IN_PROGRESS",
    when: "A backup was started while another one writes to the same target.",
    remedy: "Wait for the running backup, or choose another target.",
  },
  {
    name: "RestoreInProgressError",
    code: "ANYKV_RESTORE_IN_PROGRESS",
    when: "A write, a backup or a restore was called while a restore replaces the data.",
    remedy: "Wait for the restore to settle and call again.",
  },
  {
    name: "MetricsUnavailableError",
    code: "ANYKV_METRICS_UNAVAILABLE",
    when: "`metrics` or `metricsText` of a store that measures nothing and has never reported its state.",
    remedy: "Open with `metrics: { operations: true }`, call `reportStats` first, or read `stats`.",
  },
  // Snapshots and files.
  {
    name: "SnapshotNotFoundError",
    code: "ANYKV_SNAPSHOT_NOT_FOUND",
    when: "The file to restore, import or validate does not exist.",
    remedy: "Check `fileName`, which is relative to the working directory of the process.",
  },
  {
    name: "SnapshotPermissionError",
    code: "ANYKV_SNAPSHOT_PERMISSION",
    when: "The operating system denies access to a snapshot or import file, or to the target of a backup.",
    remedy: "Grant the process the right to the file and its directory, or choose another place.",
  },
  {
    name: "SnapshotExportError",
    code: "ANYKV_SNAPSHOT_EXPORT",
    when: "A backup or export could not write, sync or replace its target, or that is a file of a store; the previous target is intact.",
    remedy:
      "Look at `hint` and `cause`: the target may be a store or a directory, or the disk may be full.",
  },
  {
    name: "SnapshotIOError",
    code: "ANYKV_SNAPSHOT_IO",
    when: "A snapshot or import file cannot be opened, or is not a snapshot, or is damaged.",
    remedy: "Look at `cause`, and verify that the file was written by `backup`.",
  },
  {
    name: "SnapshotReadError",
    code: "ANYKV_SNAPSHOT_READ",
    when: "Reading a snapshot or import file failed after it was opened, or the file is no well-formed CSV.",
    remedy: "Look at `cause` and the row or position in the message, and correct the file.",
  },
  {
    name: "SnapshotBudgetExceededError",
    code: "ANYKV_SNAPSHOT_BUDGET_EXCEEDED",
    when: "A snapshot is larger than `maxEntries` or `maxBytes` of `restore` allow; nothing was changed.",
    remedy: "Raise the limit if the snapshot is the expected one.",
  },
  {
    name: "SnapshotKeyMissingError",
    code: "ANYKV_SNAPSHOT_KEY_MISSING",
    when: "A key vanished while a point-in-time backup read it, which is a defect of ours.",
    remedy: "Repeat the backup and report the defect.",
  },
  // Copies.
  {
    name: "CopyTargetError",
    code: "ANYKV_COPY_TARGET",
    when: "The target of a copy holds something already, is being filled from another source, is the source itself, or would be replaced by nothing, or a server has nothing to copy; nothing was changed.",
    remedy:
      "Choose another target, or say with `--replace` or `--merge` what becomes of its content.",
  },
  {
    name: "CopyDifferenceError",
    code: "ANYKV_COPY_DIFFERENCE",
    when: "The target of a copy is not equal to its source in the end: somebody has written to one of them meanwhile.",
    remedy:
      "Stop the writers and copy again; `--replace` writes what differs and removes what is too much.",
  },
  // Storage.
  {
    name: "DiskPathError",
    code: "ANYKV_DISK_PATH",
    when: "The `path` of a store leads to something of the wrong kind (a file where a directory is due, or the reverse), cannot be resolved, or cannot be created; or a command was given a path that is no store.",
    remedy: "Choose another `path`, or give the process the right to create and write it.",
  },
  {
    name: "DiskStoreOpenError",
    code: "ANYKV_DISK_STORE_OPEN",
    when: "The files of a store cannot be opened: somebody has them open already or holds them for longer than the time-out, they are damaged or of another version, or they cannot be read.",
    remedy:
      "Stop the process that the message names, or run `anykv verify` on files that are damaged.",
  },
  {
    name: "BucketNotFoundError",
    code: "ANYKV_BUCKET_NOT_FOUND",
    when: "A store that was opened read-only has no data of ours in its file.",
    remedy: "Check `path`, or open the store once for writing so that it is created.",
  },
  {
    name: "DiskStoreReadError",
    code: "ANYKV_DISK_STORE_READ",
    when: "The storage failed to read a value or a claim.",
    remedy: "Look at `cause`, and verify the store if it speaks of damage.",
  },
  {
    name: "DiskStoreWriteError",
    code: "ANYKV_DISK_STORE_WRITE",
    when: "The storage failed to write or to sync, and takes no more writes until it is opened again; or nothing has changed, because an operation is larger than its log takes, or has waited longer than `timeout` for others who hold the file.",
    remedy:
      "Look at `hint` and `cause`: free disk space and reopen the store after a failed write or sync; after a time-out just call again.",
  },
  {
    name: "DiskStoreDeleteError",
    code: "ANYKV_DISK_STORE_DELETE",
    when: "The storage failed to delete; the whole operation was rolled back.",
    remedy: "Look at `cause`: free disk space, or reopen the store after a failed write or sync.",
  },
  {
    name: "DiskStoreExistsError",
    code: "ANYKV_DISK_STORE_EXISTS",
    when: "The storage failed while it looked for a key.",
    remedy: "Look at `cause`, and verify the store if it speaks of damage.",
  },
  {
    name: "DiskStoreScanError",
    code: "ANYKV_DISK_STORE_SCAN",
    when: "The storage failed while it walked over keys.",
    remedy: "Look at `cause`, and verify the store if it speaks of damage.",
  },
  {
    name: "DiskStoreSizeError",
    code: "ANYKV_DISK_STORE_SIZE",
    when: "The storage failed to count its keys or to tell the size of its file.",
    remedy: "Look at `cause`, and verify the store if it speaks of damage.",
  },
  {
    name: "DiskStoreIndexError",
    code: "ANYKV_DISK_STORE_INDEX",
    when: "The storage failed while it chose a random key.",
    remedy: "Look at `cause`, and rebuild the index with `rebuildKeyList`.",
  },
  {
    name: "KeyListRebuildError",
    code: "ANYKV_KEY_LIST_REBUILD",
    when: "The index of keys could not be rebuilt from the data.",
    remedy: "Look at `cause`, and verify the store.",
  },
  // Servers.
  {
    name: "ServerConnectionError",
    code: "ANYKV_SERVER_CONNECTION",
    when: "A server cannot be reached, hangs up or does not answer in time; the operation has changed nothing.",
    remedy:
      "Look at `hint` and `cause`: correct the address or the TLS options, or call again when the server is back.",
  },
  {
    name: "ServerAccessError",
    code: "ANYKV_SERVER_ACCESS",
    when: "A server refuses the user, the password, the database, or a command that the store needs.",
    remedy:
      "Correct `username`, `password` or `database`, or grant the user what the message names.",
  },
  {
    name: "ServerUnsuitableError",
    code: "ANYKV_SERVER_UNSUITABLE",
    when: "A server answers, but cannot carry the store: it is too old, a replica, a node of a cluster where none is expected or the reverse, holds the store in another form, or holds something else under a name that the store needs.",
    remedy:
      "Follow `hint`: another server, another name or prefix, or the option that fits this one.",
  },
  {
    name: "ServerRefusedError",
    code: "ANYKV_SERVER_REFUSED",
    when: "A server refuses an operation in its present state (out of memory, loading, read-only, cluster down), or an array changes all the while a long `range` of it is read; nothing has changed.",
    remedy: "Follow `hint`, and call again when the server has recovered or the array rests.",
  },
  {
    name: "OutcomeUnknownError",
    code: "ANYKV_OUTCOME_UNKNOWN",
    when: "The connection was lost, or time was up, after a writing operation had been sent and before its answer came: it may have been carried out, as a whole, or not. Or a restore has changed over in some partitions and failed in others, as the message tells.",
    remedy:
      "Read what it would have changed before calling again, or open with `valkey: { retryWrites: true }`.",
  },
  {
    name: "ServerListenError",
    code: "ANYKV_SERVER_LISTEN",
    when: "A door cannot be opened where it should be: the port or the path is taken, the address is none of this machine's, or the process has no right to it.",
    remedy: "Choose another place, or end who has it; `hint` tells which.",
  },
  {
    name: "RequestRefusedError",
    code: "ANYKV_REQUEST_REFUSED",
    when: "A door of a server of ours was asked for what it does not offer or not to this caller, or in a form that it does not take: a path, a method, a body, a token, an address, files where none are served.",
    remedy: "Correct what the message names; nothing has been carried out.",
  },
  // Defects and the unforeseen.
  {
    name: "InternalStoreError",
    code: "ANYKV_INTERNAL_STORE",
    when: "The store found one of its own invariants broken.",
    remedy: "Verify the store and report the defect with the message and `cause`.",
  },
  {
    name: "UnexpectedStoreOutputError",
    code: "ANYKV_UNEXPECTED_STORE_OUTPUT",
    when: "A backend answered with nothing, or with something of the wrong shape.",
    remedy: "Check that client and server are of the same version, and report the defect.",
  },
  {
    name: "UnknownError",
    code: "ANYKV_UNKNOWN",
    when: "Something failed that has no class of its own.",
    remedy: "Look at `cause`, and report it so that it gets one.",
  },
] as const satisfies readonly ErrorEntry[];

/** The name of every error of anykv. */
export type ErrorName = (typeof errorCatalogue)[number]["name"];
/** The code of every error of anykv. */
export type ErrorCode = (typeof errorCatalogue)[number]["code"];
