// Seeded random: the same numbers for the same seed, on every machine and in every version.
//
// The generator is xoshiro128** (Blackman and Vigna), seeded by splitmix32, so that neighbouring
// seeds give unrelated sequences. It is fast and passes the usual statistical batteries; it is not
// meant for secrets.

import type { Random } from "../env/env.js";

const bits32 = 2 ** 32;
const bits53 = 2 ** 53;

/** Four words of state; all zero is the one state that is not allowed, and seeding avoids it. */
export type RandomState = [number, number, number, number];

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The next 32 bits, as an integer in [0, 2^32); changes the state. */
export function nextWord(state: RandomState): number {
  const [a, b, c, d] = state;
  const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  const nextC = c ^ a;
  const nextD = d ^ b;
  state[0] = a ^ nextD;
  state[1] = b ^ nextC;
  state[2] = nextC ^ (b << 9);
  state[3] = rotateLeft(nextD, 11);
  return result;
}

function splitmix(seed: number): () => number {
  let word = seed | 0;
  return () => {
    word = (word + 0x9e3779b9) | 0;
    let mixed = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function stateOf(seed: number): RandomState {
  const low = splitmix(seed % bits32);
  const high = splitmix(Math.floor(seed / bits32));
  // The last word is never zero, whatever the seed.
  return [low(), low() ^ high(), low() ^ high(), (low() ^ high()) | 1];
}

/** A source of uniform integers; `seed` is an integer from 0 to 2^53 - 1. */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`a seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
  }
  const state = stateOf(seed);
  return { below: (bound) => uniformBelow(state, bound) };
}

// Numbers in the incomplete last multiple of `bound` are drawn again: without that the small
// results would come up too often.
function uniformBelow(state: RandomState, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > bits53) {
    throw new RangeError(`a bound must be an integer from 1 to 2^53, got ${bound}`);
  }
  const range = bound <= bits32 ? bits32 : bits53;
  const acceptable = range - (range % bound);
  for (;;) {
    const word = nextWord(state);
    const drawn = range === bits32 ? word : (word >>> 11) * bits32 + nextWord(state);
    if (drawn < acceptable) return drawn % bound;
  }
}
