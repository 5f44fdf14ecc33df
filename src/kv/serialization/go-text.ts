// Go text: how Go's `%v` prints a value, as the seeds store non-strings in string mode.
//
//   null, undefined   <nil>                 array    [1 a <nil>]
//   boolean           true                  object   map[a:x b:1], keys in byte order
//   whole number      5, up to 2^53         other    1.5, 1e-05, 1.0000005e+06
//
// Other numbers have the shortest digits that read back the same, with an exponent when the decimal
// exponent is below -4 or at least 6. Strings stand as they are, so the text is for readers and for
// counters; it cannot be parsed back. `toJSON` is honoured, hence dates are in ISO form.

import { compareByteOrder } from "../../base/byte-order.js";
import { hiddenContent, refuse, tagOf } from "./refusal.js";

const exponentMin = -4;
const exponentEnd = 6;
const wholeMax = 2 ** 53;

/** @throws SerializerError for what has no text; RangeError for values nested too deeply. */
export function goText(value: unknown): string {
  return textOfPart(value, [], []);
}

/** `open` holds the objects around the part, `path` the steps to it; both are as on return. */
function textOfPart(given: unknown, path: (string | number)[], open: object[]): string {
  const value = unboxed(jsonForm(given, path.at(-1)));
  const refusal = hiddenContent(value);
  if (refusal !== undefined) refuse(path, refusal);
  if (typeof value === "number") return numberText(value);
  if (value === null || value === undefined) return "<nil>";
  if (typeof value !== "object") return String(value);
  if (open.includes(value)) refuse(path, { what: "an object that contains itself" });
  open.push(value);
  const text = Array.isArray(value)
    ? arrayText(value, path, open)
    : objectText(value as Record<string, unknown>, path, open);
  open.pop();
  return text;
}

function arrayText(array: readonly unknown[], path: (string | number)[], open: object[]): string {
  const texts: string[] = [];
  for (let index = 0; index < array.length; index++) {
    path.push(index);
    texts.push(textOfPart(array[index], path, open));
    path.pop();
  }
  return `[${texts.join(" ")}]`;
}

function objectText(
  object: Readonly<Record<string, unknown>>,
  path: (string | number)[],
  open: object[],
): string {
  const texts: string[] = [];
  for (const key of Object.keys(object).sort(compareByteOrder)) {
    path.push(key);
    texts.push(`${key}:${textOfPart(object[key], path, open)}`);
    path.pop();
  }
  return `map[${texts.join(" ")}]`;
}

function jsonForm(value: unknown, key: string | number | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value, String(key ?? "")) : value;
}

/** `new Number(1)` and its like stand for what they wrap, as in `JSON.stringify`. */
function unboxed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  switch (tagOf(value)) {
    case "Number":
    case "String":
    case "Boolean":
    case "BigInt":
      return value.valueOf();
    default:
      return value;
  }
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  if (Number.isInteger(value) && Math.abs(value) <= wholeMax) return String(value);
  const [digits = "", exponentText] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= exponentMin && exponent < exponentEnd) return String(value);
  const sign = exponent < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
