// Content: all that a store holds, in pieces, for whoever moves it to another store.
//
// Calls are small (a page, and as much as a page), so nobody else waits long. What lies between two
// of them is of no one moment: writers that are about meanwhile are seen or not.

import type { Awaitable, Transaction, View } from "../engine/engine.js";
import type { NoteRequest } from "../operations/piece-writes.js";
import * as writes from "../operations/piece-writes.js";
import type {
  FoundPieces,
  PageRequest,
  Piece,
  PieceCounts,
  PiecePage,
} from "../operations/pieces.js";
import * as pieces from "../operations/pieces.js";

/** What each call means is written in operations/pieces.ts and piece-writes.ts. */
export interface Content {
  page(request: PageRequest): Awaitable<PiecePage>;
  find(pieces: readonly Piece[]): Awaitable<FoundPieces>;
  put(pieces: readonly Piece[]): Awaitable<void>;
  drop(pieces: readonly Piece[]): Awaitable<void>;
  counts(): Awaitable<PieceCounts>;
  lastToken(): Awaitable<number>;
  raiseToken(token: number): Awaitable<void>;
  note(): Awaitable<string | undefined>;
  /** The note that was there before; it has been replaced if it is the expected one. */
  swapNote(request: NoteRequest): Awaitable<string | undefined>;
  /**
   * Leaves a sign that is seen by whoever has the same store before him under another address, "" to
   * take it away. Left out where the address tells.
   */
  mark?(sign: string): Awaitable<void>;
  /** The sign, "" for none. */
  marked?(): Awaitable<string>;
}

/** How a local store carries out operations. */
export interface Transactions {
  read<R, Result>(operation: (view: View, request: R) => Result, request: R): Awaitable<Result>;
  write<R, Result>(
    operation: (transaction: Transaction, request: R) => Result,
    request: R,
  ): Awaitable<Result>;
}

export function localContent({ read, write }: Transactions): Content {
  return {
    page: (request) => read(pieces.readPieces, request),
    find: (sought) => read(pieces.findPieces, sought),
    put: (given) => write(writes.putPieces, given),
    drop: (given) => write(writes.dropPieces, given),
    counts: () => read(pieces.countPieces, undefined),
    lastToken: () => read(pieces.lastToken, undefined),
    raiseToken: (token) => write(writes.raiseToken, token),
    note: () => read(writes.copyNote, undefined),
    swapNote: (request) => write(writes.swapNote, request),
  };
}
