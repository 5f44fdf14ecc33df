// String mode: strings are stored as they are, everything else as Go prints it (go-text.ts).
//
// What is read is always a string: a number that was written comes back as its digits. Two values
// are equal when their texts are, so 1 equals "1". Text has to have an encoding in UTF-8: a string
// with half of a surrogate pair is refused rather than stored as something else.

import { isWellFormed } from "../../base/encodings.js";
import { SerializerError } from "../../base/errors.js";
import type { ValueFormat } from "./format.js";
import { goText } from "./go-text.js";
import { encodingError } from "./refusal.js";
import { checkTextBytes, sameBytes, textOf } from "./stored-text.js";

export const textFormat: ValueFormat = {
  name: "string",
  encode,
  decode: textOf,
  equal: sameBytes,
  check: textOf,
};

function encode(value: unknown): string {
  const text = typeof value === "string" ? value : textOfValue(value);
  if (!isWellFormed(text)) {
    throw new SerializerError("value holds a lone surrogate, which UTF-8 text cannot keep", {
      hint: 'Use serialization "json", which escapes it.',
    });
  }
  checkTextBytes(text);
  return text;
}

function textOfValue(value: unknown): string {
  try {
    return goText(value);
  } catch (cause) {
    throw encodingError(cause);
  }
}
