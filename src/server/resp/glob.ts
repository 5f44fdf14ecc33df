// Glob: patterns as Valkey matches them, byte by byte.
//
//   *  any bytes      ?  one byte      [a-c], [^a-c]  one byte of a class      \  the next byte itself
//
// A class that is not closed ends with the pattern. Patterns and subjects are strings of which each
// character stands for one byte; text of ASCII is such a string already.

import { type Argument, bytesOf } from "./argument.js";

export type Matches = (subject: Argument) => boolean;

const ascii = /^[\0-\x7f]*$/;

function bytewise(text: Argument): string {
  if (typeof text === "string" && ascii.test(text)) return text;
  return Buffer.from(bytesOf(text)).toString("latin1");
}

const special = /[*?[\\]/;

export function globOf(pattern: Argument): Matches {
  const bytes = bytewise(pattern);
  if (/^\*+$/.test(bytes)) return () => true;
  if (!special.test(bytes)) return (subject) => bytewise(subject) === bytes;
  return (subject) => matches(bytes, bytewise(subject));
}

/** What every subject begins with that the pattern matches: well-formed text. */
export function literalPrefix(pattern: Argument): string {
  if (typeof pattern !== "string") return "";
  const end = pattern.search(special);
  return end < 0 ? pattern : pattern.slice(0, end);
}

// A star first stands for nothing, and takes one more byte whenever what follows it has failed. Only
// the last star can still help then, so the time is the product of both lengths at most.
function matches(pattern: string, subject: string): boolean {
  let at = 0;
  let from = 0;
  let starAt = -1;
  let starFrom = 0;
  while (from < subject.length) {
    if (pattern[at] === "*") {
      starAt = ++at;
      starFrom = from;
      continue;
    }
    const next = at < pattern.length ? step(pattern, at, subject.charCodeAt(from)) : -1;
    if (next >= 0) {
      at = next;
      from++;
    } else if (starAt >= 0) {
      at = starAt;
      from = ++starFrom;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** The position behind the part of the pattern that takes the byte; -1 if it does not. */
function step(pattern: string, at: number, byte: number): number {
  switch (pattern[at]) {
    case "?":
      return at + 1;
    case "[":
      return stepClass(pattern, at + 1, byte);
    case "\\":
      if (at + 1 < pattern.length) return pattern.charCodeAt(at + 1) === byte ? at + 2 : -1;
      break;
  }
  return pattern.charCodeAt(at) === byte ? at + 1 : -1;
}

function stepClass(pattern: string, start: number, byte: number): number {
  let at = start;
  const inverted = pattern[at] === "^";
  if (inverted) at++;
  let found = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) {
      if (pattern.charCodeAt(at + 1) === byte) found = true;
      at += 2;
    } else if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const [low, high] = [pattern.charCodeAt(at), pattern.charCodeAt(at + 2)];
      if (byte >= Math.min(low, high) && byte <= Math.max(low, high)) found = true;
      at += 3;
    } else {
      if (pattern.charCodeAt(at) === byte) found = true;
      at++;
    }
  }
  if (found === inverted) return -1;
  return Math.min(at + 1, pattern.length);
}
