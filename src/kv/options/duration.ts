// Durations among the options: milliseconds as a number, or Go's duration text ("1h15m", "1.5s").

import { durationMsMax } from "../../base/limits.js";
import { refuse } from "../arguments.js";
import { scaledDecimal } from "./decimal.js";

const expected = 'whole milliseconds of at least 0 or a duration like "500ms" or "1.5s"';

/** Both signs of "micro" are in use: U+00B5 and the Greek letter. */
const unitNs: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const nsPerMs = unitNs.get("ms") as bigint;

const durationText = /^\+?(?:[\d.]+[a-z\u00b5\u03bc]+)+$/;
const term = /([\d.]+)([a-z\u00b5\u03bc]+)/g;
/** Enough for any duration that is not padded; longer text is not worth looking at. */
const textLengthMax = 200;

/**
 * Milliseconds of a duration. Parts of a millisecond round up, so that a short duration never
 * becomes 0, which often means "without end".
 * @param option the option's name, for the message.
 * @throws InvalidOptionsError
 */
export function parseDuration(value: unknown, option: string): number {
  const ms = typeof value === "string" ? textMs(value) : value;
  if (Number.isInteger(ms)) {
    const whole = ms as number;
    if (whole >= 0 && whole <= durationMsMax) return whole + 0;
  }
  return refuse(`option "${option}"`, expected, value);
}

function textMs(text: string): number | undefined {
  if (text === "0" || text === "+0") return 0;
  if (text.length > textLengthMax || !durationText.test(text)) return undefined;
  let ns = 0n;
  for (const [, amount = "", unit = ""] of text.matchAll(term)) {
    const scale = unitNs.get(unit);
    const part = scale === undefined ? undefined : scaledDecimal(amount, scale);
    if (part === undefined) return undefined;
    ns += part;
  }
  return Number((ns + nsPerMs - 1n) / nsPerMs);
}
