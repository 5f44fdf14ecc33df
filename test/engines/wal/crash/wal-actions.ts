// Random operations on a store, drawn from a seed. Every value that is written is another one, so
// that no two states of a store are the same.

import { isDeepStrictEqual } from "node:util";
import { type ClaimRef, type Kv, KvError } from "anykv";
import type { Random } from "../../../../src/env/env.js";

const keys = ["a", "ab", "b", "é", "😀"] as const;
const arrays = ["queue", "queue:1"] as const;
const items = ["x", "y", "😀"] as const;

/** Draws and carries out one operation after the other. */
export class Actions {
  readonly #kv: Kv;
  readonly #random: Random;
  readonly #claims: ClaimRef[] = [];
  #values = 0;
  readonly #label: string;
}
