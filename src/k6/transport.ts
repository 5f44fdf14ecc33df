// Transport: how calls of the function library leave k6.
//
// Nothing is sent twice: whatever has been sent may have been carried out. A broken iteration leaves
// promises behind that never settle, so nobody may wait for another call's promise.

import type { Argument, Reply } from "../remote/connection.js";

export interface Transport {
  /** Where it leads, for messages: without user and password. */
  readonly at: string;
  /**
   * Calls the function of the operation for the partition with this tag.
   *
   * Rejects with a `ReplyError` for an error reply, with a KvError for anything else.
   */
  call(operation: string, tag: string, args: readonly Argument[]): Promise<Reply>;
  /** Has the server do what needs its files, and resolves to the result, read from its JSON. */
  run(operation: string, tag: string, request: object): Promise<object>;
  /** Asks a command of the server; absent where there are only calls. */
  ask?(command: string, args: readonly string[]): Promise<unknown>;
}

/** What the server has answered instead of a reply. */
export function replyError(text: string): Error {
  const error = new Error(text);
  error.name = "ReplyError";
  return error;
}

/** The text of whatever k6 rejects with: mostly errors of Go, which are no `Error`. */
export function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
