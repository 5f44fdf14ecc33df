// Value codec: how the values of a store look to clients of the RESP door. docs/resp.md has the rules
// for people.
//
// Invariant: what a client sets, it gets back byte for byte, or is refused.

import type { Stored } from "../../engine/stored.js";
import type { Argument } from "./argument.js";

export interface ValueCodec {
  readonly serialization: "json" | "string" | "bytes";
  /** @throws CommandError or SerializerError when the store cannot keep the value. */
  store(value: Argument): Stored;
  /** @throws SerializerError when the stored value cannot be shown. */
  check(stored: Stored): void;
  /** A stored value as a client reads it. Throws as `check` does. */
  show(stored: Stored): Argument;
}
