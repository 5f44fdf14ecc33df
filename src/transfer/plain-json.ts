// Plain JSON: recognizes, byte by byte, JSON that can be kept as the text it is. It makes no values, so
// it costs a fraction of parsing.
//
// Invariants
// 1. What it accepts `JSON.parse` accepts too, if it is UTF-8, and stringifies to the same value.
// 2. What it refuses may still be good JSON: blanks between the parts, `\u` escapes, exponents, -0 and
//    other numbers from "-0" on, numbers of many digits, deep nesting. Others decide about that.

const [quote, backslash, comma, colon, minus, point] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x2e];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
const [zero, nine, space] = [0x30, 0x39, 0x20];

/** Whatever has no more digits is neither beyond all bounds nor changed by reading it. */
const digitsMax = 15;
/** One bit for each level tells arrays from objects. */
const levelsMax = 30;
const refused = -1;

/** Whether the bytes from `start` to `end` are one array, object or string of that kind. */
export function isPlainJson(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first !== openObject && first !== openArray && first !== quote) return false;
  let at = start;
  let level = 0;
  let arrays = 0;
  while (at < end) {
    // Here a value begins.
    const byte = bytes[at] as number;
    if (byte === openObject || byte === openArray) {
      if (++level > levelsMax) return false;
      const close = byte === openArray ? closeArray : closeObject;
      arrays = byte === openArray ? arrays | (1 << level) : arrays & ~(1 << level);
      at++;
      if (bytes[at] !== close) {
        if (byte === openArray) continue;
        at = nameEnd(bytes, at, end);
        if (at === refused) return false;
        continue;
      }
    } else {
      at = scalarEnd(bytes, at, end);
      if (at === refused) return false;
    }
    // Here a value has ended, or an empty array or object is about to.
    while (level > 0 && bytes[at] === ((arrays >> level) & 1 ? closeArray : closeObject)) {
      level--;
      at++;
    }
    if (level === 0) return at === end;
    if (bytes[at++] !== comma) return false;
    if (((arrays >> level) & 1) === 0) {
      at = nameEnd(bytes, at, end);
      if (at === refused) return false;
    }
  }
  return false;
}

/** Behind a name and its colon. */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== quote) return refused;
  const at = stringEnd(bytes, start + 1, end);
  return at !== refused && bytes[at] === colon ? at + 1 : refused;
}

function scalarEnd(bytes: Uint8Array, start: number, end: number): number {
  const byte = bytes[start] as number;
  if (byte === quote) return stringEnd(bytes, start + 1, end);
  if (byte === minus || (byte >= zero && byte <= nine)) return numberEnd(bytes, start);
  return wordEnd(bytes, start);
}

/** Behind the closing quote. */
function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte < space) return refused;
    if (byte === backslash && !isShortEscape(bytes[++at] as number)) return refused;
  }
  return refused;
}

function isShortEscape(byte: number): boolean {
  return shortEscapes.includes(byte);
}

const shortEscapes = Buffer.from('"\\/bfnrt');

function numberEnd(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === minus ? start + 1 : start;
  const whole = at;
  at = digitsEnd(bytes, at);
  if (at === whole || (bytes[whole] === zero && (at > whole + 1 || whole > start))) return refused;
  if (bytes[at] === point) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction);
    if (at === fraction) return refused;
  }
  // What follows is looked at by the caller, so an exponent is refused there.
  return at - whole > digitsMax ? refused : at;
}

function digitsEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= zero && (bytes[at] as number) <= nine) at++;
  return at;
}

const words: readonly Buffer[] = ["true", "false", "null"].map((word) => Buffer.from(word));

function wordEnd(bytes: Uint8Array, start: number): number {
  const word = words.find((candidate) => candidate[0] === bytes[start]);
  if (word === undefined) return refused;
  for (let offset = 1; offset < word.length; offset++) {
    if (bytes[start + offset] !== word[offset]) return refused;
  }
  return start + word.length;
}
