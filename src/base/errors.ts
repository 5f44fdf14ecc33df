// The errors of anykv: one class for each entry of the catalogue, real `Error`s all of them.
//
// Invariants
// 1. `name` is the class's catalogue name also after minification, and stands on the prototype as
//    with built-in errors; `code` is an own property, so that loggers show it.
// 2. Optional properties exist only where they were given: `"key" in error` can be relied on.
// 3. Errors cross realms and copies of this package: `isKvError` asks for a mark, not for a class.
//
// Creating one costs what a plain `Error` costs, nearly all of it the stack trace (about 3-6 us):
// `find` is the way to ask for keys that are often missing.

import { type ErrorCode, type ErrorName, errorCatalogue } from "./error-catalogue.js";

export {
  type ErrorCode,
  type ErrorEntry,
  type ErrorName,
  errorCatalogue,
} from "./error-catalogue.js";

/** One entry of a batch that was refused. */
export interface ErrorDetail {
  /** Absent if the failure concerns the batch as a whole. */
  readonly key?: string;
  /** The kind of failure, for dispatch. */
  readonly name: string;
  readonly message: string;
}

/** What an error may carry beside its message. */
export interface ErrorDetails {
  /** The key that the failure concerns. */
  readonly key?: string;
  /** What the user can do about this very case. */
  readonly hint?: string;
  /** The refused entries of a batch. */
  readonly errors?: readonly ErrorDetail[];
  /** What failed underneath. */
  readonly cause?: unknown;
}

const mark = Symbol.for("anykv.KvError");

/** What all errors of anykv have in common; only its subclasses are ever raised. */
export abstract class KvError extends Error {
  // Declared, not defined: a field would shadow the prototype's name and be there when not given.
  /** The name of the class. Its literal type keeps the classes apart where they are narrowed. */
  declare readonly name: ErrorName;
  /** Stable across versions and hosts: `ANYKV_` and a name. */
  declare readonly code: ErrorCode;
  declare readonly key?: string;
  declare readonly hint?: string;
  declare readonly errors?: readonly ErrorDetail[];

  constructor(message: string, details?: ErrorDetails) {
    super(message, details?.cause === undefined ? undefined : { cause: details.cause });
    this.code = codes.get(this.name) as ErrorCode;
    if (details === undefined) return;
    if (details.key !== undefined) this.key = details.key;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.errors !== undefined) this.errors = details.errors;
  }

  /**
   * What `JSON.stringify` writes: also name, message and an `Error` among the causes, which it leaves
   * out of other errors.
   */
  toJSON(): Record<string, unknown> {
    const { name, message, cause } = this;
    const json: Record<string, unknown> = { name, message, ...(this as object) };
    if (cause instanceof Error) json.cause = isKvError(cause) ? cause : String(cause);
    return json;
  }
}

/** Whether `value` is an error of anykv, also of another copy of the package or another realm. */
export function isKvError(value: unknown): value is KvError {
  return typeof value === "object" && value !== null && mark in value;
}

/** An error that has just been raised, with the key that it concerns unless it names one already. */
export function withKey(error: unknown, key: string): unknown {
  if (isKvError(error) && error.key === undefined) (error as { key?: string }).key = key;
  return error;
}

/** An argument or option has the wrong shape, type or range. */
export class InvalidOptionsError extends KvError {
  declare readonly name: "InvalidOptionsError";
}
/** `backend` names none. */
export class InvalidBackendError extends KvError {
  declare readonly name: "InvalidBackendError";
}
/** `serialization` names none. */
export class InvalidSerializationError extends KvError {
  declare readonly name: "InvalidSerializationError";
}
/** The store is open with other options. */
export class KVOptionsConflictError extends KvError {
  declare readonly name: "KVOptionsConflictError";
}
/** A cursor cannot be decoded. */
export class InvalidCursorError extends KvError {
  declare readonly name: "InvalidCursorError";
}
/** A backup lacks its options. */
export class BackupOptionsRequiredError extends KvError {
  declare readonly name: "BackupOptionsRequiredError";
}
/** A restore lacks its options. */
export class RestoreOptionsRequiredError extends KvError {
  declare readonly name: "RestoreOptionsRequiredError";
}
/** `get` found no live key. */
export class KeyNotFoundError extends KvError {
  declare readonly name: "KeyNotFoundError";
}
/** A value operation on an array, or the reverse. */
export class WrongTypeError extends KvError {
  declare readonly name: "WrongTypeError";
}
/** A value cannot be encoded or decoded. */
export class SerializerError extends KvError {
  declare readonly name: "SerializerError";
}
/** An engine was given neither text nor bytes. */
export class UnsupportedValueTypeError extends KvError {
  declare readonly name: "UnsupportedValueTypeError";
}
/** The delta of a counter is no 64-bit whole number. */
export class ValueNumberRequiredError extends KvError {
  declare readonly name: "ValueNumberRequiredError";
}
/** A counter, or the content of a file, cannot be parsed. */
export class ValueParseError extends KvError {
  declare readonly name: "ValueParseError";
}
/** A write was guarded by a claim that is no longer live. */
export class StaleClaimError extends KvError {
  declare readonly name: "StaleClaimError";
}
/** A backend cannot be loaded here. */
export class BackendUnavailableError extends KvError {
  declare readonly name: "BackendUnavailableError";
}
/** The handle was closed. */
export class StoreClosedError extends KvError {
  declare readonly name: "StoreClosedError";
}
/** The handle has no store. */
export class DatabaseNotOpenError extends KvError {
  declare readonly name: "DatabaseNotOpenError";
}
/** The store was opened read-only. */
export class StoreReadOnlyError extends KvError {
  declare readonly name: "StoreReadOnlyError";
}
/** The caller's signal ended the operation. */
export class OperationCanceledError extends KvError {
  declare readonly name: "OperationCanceledError";
}
/** Another backup writes to the same target. */
export class BackupInProgressError extends KvError {
  declare readonly name: "BackupInProgressError";
}
/** A restore is replacing the data. */
export class RestoreInProgressError extends KvError {
  declare readonly name: "RestoreInProgressError";
}
/** There is no place to report metrics to. */
export class MetricsUnavailableError extends KvError {
  declare readonly name: "MetricsUnavailableError";
}
/** The file to read does not exist. */
export class SnapshotNotFoundError extends KvError {
  declare readonly name: "SnapshotNotFoundError";
}
/** Access to a file is denied. */
export class SnapshotPermissionError extends KvError {
  declare readonly name: "SnapshotPermissionError";
}
/** A backup or export could not write its target. */
export class SnapshotExportError extends KvError {
  declare readonly name: "SnapshotExportError";
}
/** A file cannot be opened or is no snapshot. */
export class SnapshotIOError extends KvError {
  declare readonly name: "SnapshotIOError";
}
/** Reading an opened file failed. */
export class SnapshotReadError extends KvError {
  declare readonly name: "SnapshotReadError";
}
/** A snapshot exceeds the limits of its restore. */
export class SnapshotBudgetExceededError extends KvError {
  declare readonly name: "SnapshotBudgetExceededError";
}
/** A key vanished during a point-in-time backup. */
export class SnapshotKeyMissingError extends KvError {
  declare readonly name: "SnapshotKeyMissingError";
}
/** The target of a copy holds something that nobody has given up. */
export class CopyTargetError extends KvError {
  declare readonly name: "CopyTargetError";
}
/** Source and target of a copy are not equal in the end. */
export class CopyDifferenceError extends KvError {
  declare readonly name: "CopyDifferenceError";
}
/** `path` is unusable. */
export class DiskPathError extends KvError {
  declare readonly name: "DiskPathError";
}
/** The files of a store cannot be opened. */
export class DiskStoreOpenError extends KvError {
  declare readonly name: "DiskStoreOpenError";
}
/** A file opened read-only has no data of ours. */
export class BucketNotFoundError extends KvError {
  declare readonly name: "BucketNotFoundError";
}
/** The storage failed to read. */
export class DiskStoreReadError extends KvError {
  declare readonly name: "DiskStoreReadError";
}
/** The storage failed to write. */
export class DiskStoreWriteError extends KvError {
  declare readonly name: "DiskStoreWriteError";
}
/** The storage failed to delete. */
export class DiskStoreDeleteError extends KvError {
  declare readonly name: "DiskStoreDeleteError";
}
/** The storage failed to look for a key. */
export class DiskStoreExistsError extends KvError {
  declare readonly name: "DiskStoreExistsError";
}
/** The storage failed to walk over keys. */
export class DiskStoreScanError extends KvError {
  declare readonly name: "DiskStoreScanError";
}
/** The storage failed to tell its size. */
export class DiskStoreSizeError extends KvError {
  declare readonly name: "DiskStoreSizeError";
}
/** The storage failed to choose a random key. */
export class DiskStoreIndexError extends KvError {
  declare readonly name: "DiskStoreIndexError";
}
/** The index could not be rebuilt. */
export class KeyListRebuildError extends KvError {
  declare readonly name: "KeyListRebuildError";
}
/** A server cannot be reached, or has gone before the operation was sent. */
export class ServerConnectionError extends KvError {
  declare readonly name: "ServerConnectionError";
}
/** A server refuses the user, the password, the database or a command. */
export class ServerAccessError extends KvError {
  declare readonly name: "ServerAccessError";
}
/** A server answers, but cannot carry the store. */
export class ServerUnsuitableError extends KvError {
  declare readonly name: "ServerUnsuitableError";
}
/** A server refuses the operation in its present state. */
export class ServerRefusedError extends KvError {
  declare readonly name: "ServerRefusedError";
}
/** An operation was sent and its answer never came: it may have been carried out. */
export class OutcomeUnknownError extends KvError {
  declare readonly name: "OutcomeUnknownError";
}
/** A door of a server of ours cannot be opened at its place. */
export class ServerListenError extends KvError {
  declare readonly name: "ServerListenError";
}
/** A request to a server of ours that it does not carry out. */
export class RequestRefusedError extends KvError {
  declare readonly name: "RequestRefusedError";
}
/** An invariant of the store is broken. */
export class InternalStoreError extends KvError {
  declare readonly name: "InternalStoreError";
}
/** A backend gave no answer or a malformed one. */
export class UnexpectedStoreOutputError extends KvError {
  declare readonly name: "UnexpectedStoreOutputError";
}
/** Anything without a class of its own. */
export class UnknownError extends KvError {
  declare readonly name: "UnknownError";
}

/** How every error class is constructed. */
export type KvErrorClass = new (message: string, details?: ErrorDetails) => KvError;

/** The class of each name, for errors that arrive from another host as names. */
export const errorClasses = {
  InvalidOptionsError,
  InvalidBackendError,
  InvalidSerializationError,
  KVOptionsConflictError,
  InvalidCursorError,
  BackupOptionsRequiredError,
  RestoreOptionsRequiredError,
  KeyNotFoundError,
  WrongTypeError,
  SerializerError,
  UnsupportedValueTypeError,
  ValueNumberRequiredError,
  ValueParseError,
  StaleClaimError,
  BackendUnavailableError,
  StoreClosedError,
  DatabaseNotOpenError,
  StoreReadOnlyError,
  OperationCanceledError,
  BackupInProgressError,
  RestoreInProgressError,
  MetricsUnavailableError,
  SnapshotNotFoundError,
  SnapshotPermissionError,
  SnapshotExportError,
  SnapshotIOError,
  SnapshotReadError,
  SnapshotBudgetExceededError,
  SnapshotKeyMissingError,
  CopyTargetError,
  CopyDifferenceError,
  DiskPathError,
  DiskStoreOpenError,
  BucketNotFoundError,
  DiskStoreReadError,
  DiskStoreWriteError,
  DiskStoreDeleteError,
  DiskStoreExistsError,
  DiskStoreScanError,
  DiskStoreSizeError,
  DiskStoreIndexError,
  KeyListRebuildError,
  ServerConnectionError,
  ServerAccessError,
  ServerUnsuitableError,
  ServerRefusedError,
  OutcomeUnknownError,
  ServerListenError,
  RequestRefusedError,
  InternalStoreError,
  UnexpectedStoreOutputError,
  UnknownError,
} as const satisfies Record<ErrorName, KvErrorClass>;

const codes: ReadonlyMap<string, ErrorCode> = new Map(
  errorCatalogue.map(({ name, code }) => [name, code]),
);

Object.defineProperty(KvError.prototype, mark, { value: true });
for (const { name } of errorCatalogue) {
  const property = { value: name, configurable: true, writable: true };
  Object.defineProperty(errorClasses[name].prototype, "name", property);
}
