// Decimal amounts in option texts, scaled without the rounding of doubles: 1.1 s is 1100 ms.

const decimal = /^(\d*)(?:\.(\d*))?$/;

/**
 * `amount` ("15", "1.5", ".5", "5.") times `scale`, parts of a unit cut off; undefined if it is not
 * a decimal or has no digit.
 */
export function scaledDecimal(amount: string, scale: bigint): bigint | undefined {
  const [, whole, fraction = ""] = decimal.exec(amount) ?? [];
  if (whole === undefined || whole.length + fraction.length === 0) return undefined;
  return (BigInt(whole + fraction) * scale) / 10n ** BigInt(fraction.length);
}
