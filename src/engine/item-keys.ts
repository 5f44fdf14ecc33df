// Item keys: the keys of the table `items`, "<list id>:<index>".

/** Digits of numbers that are exact in any case. */
const digitsMax = 15;
const colon = ":".charCodeAt(0);
const minus = "-".charCodeAt(0);
const zero = "0".charCodeAt(0);

export interface ItemPlace {
  readonly list: number;
  readonly index: number;
}

export function itemKey(list: number, index: number): string {
  return `${list}:${index}`;
}

/** The numbers that `itemKey` has made a key of; undefined for any other text. */
export function itemPlace(key: string): ItemPlace | undefined {
  let end = 0;
  while (end < key.length && key.charCodeAt(end) !== colon) end++;
  const list = integerIn(key, 0, end);
  const isNegative = key.charCodeAt(end + 1) === minus;
  const index = integerIn(key, isNegative ? end + 2 : end + 1, key.length);
  if (list === undefined || index === undefined || (isNegative && index === 0)) return undefined;
  return { list, index: isNegative ? -index : index };
}

function integerIn(text: string, start: number, end: number): number | undefined {
  const digits = end - start;
  if (digits < 1 || digits > digitsMax) return undefined;
  if (digits > 1 && text.charCodeAt(start) === zero) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}
