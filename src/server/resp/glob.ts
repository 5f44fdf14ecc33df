// Glob: patterns as KEYS and PSUBSCRIBE know them.
//
//   *  any text        ?  any character        [abc] [^abc] [a-z]  one of them        \x  x itself
//
// Matching takes time in proportion to pattern times text at most, whatever the pattern: of the stars
// only the last one is ever tried again, which is enough.

type Test = (character: string) => boolean;

/** undefined stands for a star. */
type Token = Test | undefined;

export function globMatcher(pattern: string): (text: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern;
  const tokens = tokensOf([...pattern]);
  return (text) => matches(tokens, [...text]);
}

function tokensOf(pattern: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    if (character === "*") {
      if (tokens.length === 0 || tokens.at(-1) !== undefined) tokens.push(undefined);
    } else if (character === "?") tokens.push(() => true);
    else if (character === "[") {
      const { test, end } = classAt(pattern, at + 1);
      tokens.push(test);
      at = end;
    } else {
      const literal = character === "\\" && at + 1 < pattern.length ? pattern[++at] : character;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** The class behind an opening bracket, and where it ends: at the latest with the pattern. */
function classAt(pattern: readonly string[], start: number): { test: Test; end: number } {
  const isNegated = pattern[start] === "^";
  const ranges: [low: string, high: string][] = [];
  let at = isNegated ? start + 1 : start;
  for (; at < pattern.length && pattern[at] !== "]"; at++) {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    const low = pattern[at] as string;
    if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const high = pattern[at + 2] as string;
      ranges.push(isAfter(low, high) ? [high, low] : [low, high]);
      at += 2;
    } else ranges.push([low, low]);
  }
  const isIn: Test = (character) =>
    ranges.some(([low, high]) => !isAfter(low, character) && !isAfter(character, high));
  return { test: isNegated ? (character) => !isIn(character) : isIn, end: at };
}

function isAfter(a: string, b: string): boolean {
  return (a.codePointAt(0) as number) > (b.codePointAt(0) as number);
}

function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  // Where to go on if what follows the last star does not fit.
  let starToken = -1;
  let starAt = 0;
  while (at < text.length) {
    const test = tokens[token];
    if (token < tokens.length && test === undefined) {
      starToken = token++;
      starAt = at;
    } else if (test?.(text[at] as string)) {
      token++;
      at++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      at = ++starAt;
    } else return false;
  }
  while (token < tokens.length && tokens[token] === undefined) token++;
  return token === tokens.length;
}
