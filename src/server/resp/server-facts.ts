// Server facts: what INFO and HELLO tell of a server.

import type { Awaitable } from "../../engine/engine.js";

export interface ServerFacts {
  /** Unix milliseconds, now. */
  now(): number;
  readonly startedAt: number;
  readonly runId: string;
  readonly backend: string;
  readonly serialization: string;
  readonly durability: string;
  readonly host: string;
  /** 0 without one. */
  readonly port: number;
  /** A Unix socket; "" without one. */
  readonly path: string;
  readonly isTls: boolean;
  readonly counts: Counts;
  /** Keys of every kind. */
  countKeys(): Awaitable<number>;
}

/** What has happened since the start. */
export interface Counts {
  connections: number;
  commands: number;
  rejectedConnections: number;
  /** Connections cut off because of what they sent or did not read. */
  cutOff: number;
  failedLogins: number;
  blocked: number;
}
