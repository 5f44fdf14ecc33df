// Portable format: how stored values are written into text files, and read back.
//
// The conversion belongs to the serialization of the store, which stands above this layer and hands
// these functions in.

import type { Stored } from "../engine/stored.js";

export interface PortableFormat {
  readonly name: "json" | "string" | "bytes";
  /**
   * The value as JSON on one line. What it returns is read back by `stored` as the same value.
   *
   * @throws SerializerError when the stored value cannot be read in this serialization.
   */
  readonly json: (stored: Stored) => string;
  /** Whether the JSON of a value, without blanks between its parts, is a stored form of it. */
  readonly isJsonText: boolean;
  /**
   * The stored form of a value that `JSON.parse` gave.
   *
   * @throws SerializerError when the value cannot be kept.
   */
  readonly stored: (value: unknown) => Stored;
  /** @throws SerializerError when the stored value cannot be read in this serialization. */
  readonly decode: (stored: Stored) => unknown;
}
