// Model of scan, list, count and random keys. A cursor is opaque: the model notes which key the
// store's cursor stands for when it first sees it.

import type { ListOptions, PrefixOptions, RandomKeysOptions, ScanOptions } from "../kv/types.js";
import { byBytes, Disagreement } from "./model-state.js";
import { ValueModel } from "./model-values.js";

interface Page {
  readonly keys: string[];
  readonly cursor: string;
  readonly done: boolean;
}

function limited(keys: string[], limit: number | undefined): string[] {
  return limit === undefined || limit <= 0 ? keys : keys.slice(0, limit);
}

export class QueryModel extends ValueModel {
  /** The last key of the page that each cursor came with. */
  readonly #cursors = new Map<string, string>();

  scan(options?: ScanOptions): unknown {
    const { keys, cursor, done } = this.page(this.keysOf("value", options?.prefix), options);
    return { entries: keys.map((key) => this.entry(key)), cursor, done };
  }

  scanKeys(options?: ScanOptions): unknown {
    const { keys, cursor, done } = this.page(this.keysOf("value", options?.prefix), options);
    return { keys, cursor, done };
  }

  list(options?: ListOptions): unknown {
    return this.#listed(options).map((key) => this.entry(key));
  }

  listKeys(options?: ListOptions): unknown {
    return this.#listed(options);
  }

  size(): unknown {
    return this.keysOf("value", "").length;
  }

  count(options?: PrefixOptions): unknown {
    return this.keysOf("value", options?.prefix).length;
  }

  randomKey(options?: PrefixOptions): unknown {
    const matches = this.keysOf("value", options?.prefix);
    return matches.length === 0 ? "" : chosen(matches, this.taken);
  }

  randomKeys({ prefix, count, unique = true }: RandomKeysOptions): unknown {
    const matches = this.keysOf("value", prefix);
    if (matches.length === 0) return [];
    const keys = chosenFrom(this.taken, unique ? Math.min(count, matches.length) : count);
    for (const key of keys) chosen(matches, key);
    if (unique && new Set(keys).size < keys.length) throw new Disagreement("a key came twice");
    return keys;
  }

  #listed(options: ListOptions | undefined): string[] {
    return limited(this.keysOf("value", options?.prefix), options?.limit);
  }

  /** The page of keys, which are in order. */
  protected page(all: string[], options: ScanOptions | undefined): Page {
    const after = options?.cursor ? this.#cursors.get(options.cursor) : undefined;
    const ahead = all.filter((key) => after === undefined || byBytes(key, after) > 0);
    const keys = limited(ahead, options?.limit);
    const last = keys.at(-1);
    if (keys.length === ahead.length || last === undefined) return { keys, cursor: "", done: true };
    const { cursor } = this.taken as Page;
    if (typeof cursor !== "string" || cursor === "") throw new Disagreement("a cursor is missing");
    this.#cursors.set(cursor, last);
    return { keys, cursor, done: false };
  }
}

/** What the store has taken, if it was there to be taken. */
export function chosen(allowed: readonly string[], taken: unknown): string {
  const choice = allowed.find((key) => key === taken);
  if (choice !== undefined) return choice;
  throw new Disagreement(`${JSON.stringify(taken)} is none of ${JSON.stringify(allowed)}`);
}

/** The list that the store has chosen, if it has the right length. */
export function chosenFrom<Item = string>(taken: unknown, length: number): Item[] {
  if (Array.isArray(taken) && taken.length === length) return taken;
  throw new Disagreement(`a list of ${length} was due, not ${JSON.stringify(taken)}`);
}
