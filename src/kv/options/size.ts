// Sizes among the options: bytes as a number, or text with an SI or IEC unit ("64MB", "64 MiB").

import { refuse } from "../arguments.js";
import { scaledDecimal } from "./decimal.js";

const expected = 'whole bytes of at least 0 or a size like "64MB" or "64MiB"';

const prefixes = "kmgtpe";
const sizeText = /^([\d.]+) ?(?:([kmgtpe])(i?)b?|b)?$/i;
/** Enough for any size that is not padded; longer text is not worth looking at. */
const textLengthMax = 100;

/**
 * Bytes of a size. Units count in either case, k is 1000 and Ki is 1024, the B may be left out;
 * parts of a byte are cut off.
 * @param option the option's name, for the message.
 * @throws InvalidOptionsError
 */
export function parseSize(value: unknown, option: string): number {
  const bytes = typeof value === "string" ? textBytes(value) : value;
  if (Number.isSafeInteger(bytes) && (bytes as number) >= 0) return (bytes as number) + 0;
  return refuse(`option "${option}"`, expected, value);
}

function textBytes(text: string): number | undefined {
  if (text.length > textLengthMax) return undefined;
  const [, amount = "", prefix, iec] = sizeText.exec(text.trim()) ?? [];
  const base = iec ? 1024n : 1000n;
  const power = prefix === undefined ? 0 : prefixes.indexOf(prefix.toLowerCase()) + 1;
  const bytes = scaledDecimal(amount, base ** BigInt(power));
  return bytes === undefined ? undefined : Number(bytes);
}
