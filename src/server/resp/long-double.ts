// Long double: sums of decimals as Valkey computes them, in 80-bit floats with 64-bit mantissas, and
// printed with 17 places. Doubles would show 0.1 + 0.2 as 0.30000000000000004.
//
// A number is mantissa * 2^exponent. Each step is exact, then rounded to 64 bits, half to even.

export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const decimal = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;
const digit = /\d/;
const precisionBits = 64;
/** The first power of two that is too large. */
const exponentEnd = 16_384;
/** No number has more digits before its point, or more zeros behind it. */
const digitsMax = 4_950;
const textLengthMax = 5_119;
const places = 17;
const placesScale = 10n ** BigInt(places);

const zero: LongDouble = { mantissa: 0n, exponent: 0 };

/** @returns undefined for what is no decimal number, or beyond the range */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length > textLengthMax) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = decimal.exec(text) ?? [];
  if (!digit.test(whole + fraction) || !decimal.test(text)) return undefined;
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return zero;
  const scale = Number(power) - fraction.length;
  const magnitude = scale + digits.toString().length;
  if (magnitude > digitsMax || magnitude < -digitsMax) return undefined;
  const ratio: [bigint, bigint] =
    scale >= 0 ? [digits * 10n ** BigInt(scale), 1n] : [digits, 10n ** BigInt(-scale)];
  return bounded(quotient(sign === "-" ? -ratio[0] : ratio[0], ratio[1]));
}

/** @returns undefined when the sum is beyond the range */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  return bounded(rounded(sum, exponent));
}

/** With up to 17 places, without zeros at the end. */
export function printLongDouble({ mantissa, exponent }: LongDouble): string {
  const negative = mantissa < 0n;
  const scaled = magnitudeOf(mantissa) * placesScale;
  const whole =
    exponent >= 0 ? scaled << BigInt(exponent) : divided(scaled, 1n << BigInt(-exponent));
  const digits = whole.toString().padStart(places + 1, "0");
  const text = `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, "");
  return negative && text !== "0" ? `-${text}` : text;
}

function magnitudeOf(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function bitsOf(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex.charAt(0), 16)) - 28);
}

/** Rounded to a whole number, half to even; both are positive. */
function divided(dividend: bigint, divisor: bigint): bigint {
  const result = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  return twice > divisor || (twice === divisor && (result & 1n) === 1n) ? result + 1n : result;
}

function rounded(value: bigint, exponent: number): LongDouble {
  const magnitude = magnitudeOf(value);
  const excess = magnitude === 0n ? 0 : bitsOf(magnitude) - precisionBits;
  if (excess <= 0) return { mantissa: value, exponent };
  const mantissa = divided(magnitude, 1n << BigInt(excess));
  return { mantissa: value < 0n ? -mantissa : mantissa, exponent: exponent + excess };
}

function quotient(dividend: bigint, divisor: bigint): LongDouble {
  const magnitude = magnitudeOf(dividend);
  let shift = precisionBits - bitsOf(magnitude) + bitsOf(divisor);
  const above = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  let below = shift > 0 ? divisor : divisor << BigInt(-shift);
  // The quotient has 64 bits, or one more.
  if (above >= below << BigInt(precisionBits)) {
    below <<= 1n;
    shift--;
  }
  const mantissa = divided(above, below);
  return rounded(dividend < 0n ? -mantissa : mantissa, -shift);
}

function bounded(value: LongDouble): LongDouble | undefined {
  if (value.mantissa === 0n) return zero;
  return bitsOf(magnitudeOf(value.mantissa)) + value.exponent > exponentEnd ? undefined : value;
}
