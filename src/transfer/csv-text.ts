// CSV text: what is written, so that the reader of csv-reader.ts reads it back (but for "\r\n", which
// becomes "\n" there).

import { ValueParseError } from "../base/errors.js";
import { leadingBlank } from "./transfer.js";

/** Joins fields into a row. An empty field stands unquoted, so a row of one is a blank line. */
export function csvRowOf(delimiter: string): (fields: readonly string[]) => string {
  const mustQuote = (field: string): boolean =>
    /["\r\n]/.test(field) ||
    field.includes(delimiter) ||
    leadingBlank.test(field) ||
    field === "\\.";
  const quoted = (field: string): string =>
    mustQuote(field) ? `"${field.replaceAll('"', '""')}"` : field;
  return (fields) => `${fields.map(quoted).join(delimiter)}\n`;
}

/** A part of a value as a field. @throws ValueParseError for what has no place in one. */
export function fieldText(part: unknown): string {
  switch (typeof part) {
    case "string":
      if (part.isWellFormed()) return part;
      throw new ValueParseError("holds a lone surrogate, which has no form in UTF-8");
    case "number":
      return plainDecimal(part);
    case "boolean":
      return String(part);
    default:
      if (part === null || part === undefined) return "";
      throw new ValueParseError(`holds ${Array.isArray(part) ? "an array" : "an object"}`);
  }
}

/** The shortest digits that read back the same, without an exponent: `1e21` has 22 of them. */
export function plainDecimal(number: number): string {
  const text = String(number);
  const [digits = "", exponentText] = text.split("e");
  if (exponentText === undefined) return text;
  const sign = number < 0 ? "-" : "";
  const [whole = "", fraction = ""] = digits.replace("-", "").split(".");
  const exponent = Number(exponentText);
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${whole}${fraction}`;
  return `${sign}${whole}${fraction.padEnd(exponent, "0")}`;
}
