// Settings: what a server is held to. Some of it can be changed with CONFIG SET while it runs.

import type { ParserLimits } from "./parser.js";

export interface Settings extends ParserLimits {
  clientsMax: number;
  /** How long a connection may be silent; 0: without end. */
  idleTimeoutMs: number;
  argumentBytesMax: number;
  /** How long a client may leave its replies unread. */
  slowReaderTimeoutMs: number;
  /** Replies that wait for a client before nothing more is read from it. */
  readonly outputBytesMax: number;
  /** Messages that wait for a subscriber before it is cut off. */
  readonly messageBytesMax: number;
  /** What waits for all clients and of all clients together. */
  readonly bufferBytesMax: number;
}
