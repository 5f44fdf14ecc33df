// Session: what commands may know and change of their connection and of the server.

import type { Encoder } from "./encoder.js";

export interface Session {
  /** Changes with `HELLO`. */
  encode: Encoder;
}
