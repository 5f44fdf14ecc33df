// Session: what commands may know and change of their connection and of the server.

import type { Channels } from "./channels.js";
import type { CommandTable } from "./command-table.js";
import type { Encoded, Encoder } from "./encoder.js";
import type { ServerFacts } from "./server-facts.js";
import type { Settings } from "./settings.js";
import type { User, Users } from "./users.js";

/** What is the same for all connections of a server. */
export interface Server {
  readonly table: CommandTable;
  readonly users: Users;
  readonly channels: Channels<Session>;
  readonly settings: Settings;
  readonly facts: ServerFacts;
  /** All that are connected, by their ids, in the order in which they came. */
  readonly sessions: ReadonlyMap<number, Session>;
}

/** Whether replies are sent; after "skip" it is "on" again with the next command but one. */
export type ReplyMode = "on" | "off" | "skip" | "skip next";

export interface Session {
  /** Changes with `HELLO`. */
  encode: Encoder;
  readonly server: Server;
  readonly id: number;
  /** As `127.0.0.1:50000`; of a Unix socket its path and `:0`. */
  readonly address: string;
  readonly localAddress: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly idleMs: number;
  name: string;
  libraryName: string;
  libraryVersion: string;
  /** undefined until it is known who it is. */
  user: User | undefined;
  replyMode: ReplyMode;
  /** The command carried out last, in lower case. */
  readonly lastCommand: string;
  readonly pendingInputBytes: number;
  readonly pendingOutputBytes: number;
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  /** The transaction between MULTI and EXEC, and the keys that are watched. */
  readonly transaction: {
    readonly isOpen: boolean;
    readonly queued: number;
    readonly watched: number;
    begin(): void;
    /** The replies of all that was queued. */
    execute(): Encoded | Promise<Encoded>;
    /** Forgets what was queued and what was watched. */
    discard(): void;
    watch(keys: readonly string[]): Encoded | Promise<Encoded>;
    unwatch(): void;
  };
  /** Whether it waits in a blocking command. */
  readonly isBlocked: boolean;
  /** Ends the wait of a blocking command, as if its time were up or with an error. False if there is none. */
  unblock(reason: "timeout" | "error"): boolean;
  /** Sends what is no reply to a command. */
  send(text: Encoded): void;
  /** Closes the connection behind the reply under way. */
  endAfterReply(): void;
  /** Closes the connection, at once. */
  kill(): void;
  /** As after connecting. */
  reset(): void;
}
