// Command: one row of the table that drives dispatch, arity errors, `COMMAND`, docs/commands.md and
// the test of reply shapes.
//
// How a command runs
// - `read` and `write` run inside one transaction of the store, synchronously, as operations do:
//   they check first and write afterwards, so that one that throws has changed nothing. That is what
//   lets several of them run in one transaction (MULTI, and pipelines on engines whose commits have
//   to be waited for).
// - with `ranked`, on tables from which everything due has been removed: for what counts by rank.
// - `take` is for commands that may wait: it is tried in a transaction, and again whenever one of its
//   keys has got elements, until it answers something or the time is up.
// - `session` concerns the connection or the server; of data it may read through the session.
// - `chosen` gives one of the above, when it has seen the arguments.

import type { Transaction, View } from "../../engine/engine.js";
import type { Argument } from "./argument.js";
import type { Encoded, Encoder } from "./encoder.js";
import type { ScanCursors } from "./scan-cursors.js";
import type { Session } from "./session.js";
import type { ValueCodec } from "./value-codec.js";

/** What a client is told: the text begins with the code, as in `ERR syntax error`. */
export class CommandError extends Error {}

/** What a command that concerns data may know beside the data. */
export interface CommandContext {
  readonly encode: Encoder;
  readonly values: ValueCodec;
  /** One for all clients of a server. */
  readonly cursors: ScanCursors;
  /** Tells that the array under a key has got elements: whoever waits for them is served. */
  pushed(key: string): void;
}

export type Flag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "fast"
  | "no_auth"
  | "no_multi"
  | "movablekeys"
  | "allow_busy";

export type Group =
  | "string"
  | "generic"
  | "list"
  | "hash"
  | "set"
  | "connection"
  | "server"
  | "transactions"
  | "pubsub"
  | "scripting";

/** The form of a reply, for the documentation and the test that holds every command to it. */
export type ReplyShape =
  | "ok"
  | "simple"
  | "integer"
  | "bulk"
  | "verbatim"
  | "nil"
  | "array"
  | "map"
  | "set"
  | "double"
  | "any";

export interface ReadBody {
  readonly kind: "read";
  readonly ranked?: boolean;
  readonly run: (view: View, args: readonly Argument[], context: CommandContext) => Encoded;
}

export interface WriteBody {
  readonly kind: "write";
  readonly ranked?: boolean;
  readonly run: (
    transaction: Transaction,
    args: readonly Argument[],
    context: CommandContext,
  ) => Encoded;
}

export interface TakeBody {
  readonly kind: "take";
  /** The keys in the order in which they are tried, and how long to wait; 0: without end. */
  readonly plan: (args: readonly Argument[]) => { keys: readonly string[]; timeoutMs: number };
  readonly run: (
    transaction: Transaction,
    args: readonly Argument[],
    context: CommandContext,
  ) => Encoded | undefined;
  /** The reply when the time is up. */
  readonly none: (encode: Encoder) => Encoded;
  /** The reply where nobody may wait, as inside `MULTI`; `none` if left out. */
  readonly noneAtOnce?: (encode: Encoder) => Encoded;
}

export interface SessionBody {
  readonly kind: "session";
  /** The empty string is no reply at all. */
  readonly run: (session: Session, args: readonly Argument[]) => Encoded | Promise<Encoded>;
}

/** The arguments decide what it is, as with `FCALL`. */
export interface ChosenBody {
  readonly kind: "chosen";
  /** @throws CommandError */
  readonly choose: (args: readonly Argument[]) => DataBody | SessionBody;
}

/** What concerns data. */
export type DataBody = ReadBody | WriteBody | TakeBody;
export type Body = DataBody | SessionBody | ChosenBody;

export interface Command {
  /** In capitals. Commands with subcommands have a row for each: `CLIENT|SETNAME`. */
  readonly name: string;
  readonly group: Group;
  /** With the name (and the subcommand); negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  /** Positions of the keys among all words, the name being 0; `[0, 0, 0]` for none. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** Arguments as documentation writes them: `key value [NX | XX] [GET]`. */
  readonly syntax: string;
  readonly summary: string;
  /** As `O(1)`, or `O(N)` with what N is. */
  readonly complexity: string;
  readonly reply: readonly ReplyShape[];
  /**
   * Whether a call changes nothing, although the flags say that the command writes: who may only read
   * may send it.
   */
  readonly changesNothing?: (args: readonly Argument[]) => boolean;
  /** Arguments come without the name (and the subcommand). */
  readonly body: Body;
}
