// Model of the operations on values by key, alone, in batches and atomic.

import { isDeepStrictEqual } from "node:util";
import type {
  CompareOptions,
  CreateOptions,
  DeleteByPrefixOptions,
  GuardOptions,
  WriteOptions,
} from "../kv/types.js";
import { ModelState, Refusal, read, type ValueRow, write } from "./model-state.js";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** A counter is a decimal, or a string that holds one. */
function counter(text: string): bigint {
  const content = text.startsWith('"') ? String(read(text)) : text;
  if (!/^[+-]?[0-9]+$/.test(content)) throw new Refusal("ValueParseError");
  return inRange(BigInt(content));
}

function inRange(count: bigint): bigint {
  if (count < int64Min || count > int64Max) throw new Refusal("ValueParseError");
  return count;
}

/** Objects are equal whatever the order of their properties. */
function same(a: string, b: string): boolean {
  return isDeepStrictEqual(read(a), read(b));
}

export class ValueModel extends ModelState {
  get(key: string): unknown {
    const row = this.value(key);
    if (row === undefined) throw new Refusal("KeyNotFoundError");
    return read(row.text);
  }

  find(key: string): unknown {
    const row = this.value(key);
    return row === undefined ? undefined : read(row.text);
  }

  getMany(keys: string[]): unknown {
    return keys.map((key) => {
      const row = this.value(key);
      return { key, exists: row !== undefined, value: row === undefined ? null : read(row.text) };
    });
  }

  set(key: string, value: unknown, options?: WriteOptions): unknown {
    this.guard(options, [key]);
    this.put(key, write(value), this.replacing(this.value(key), options));
    return value;
  }

  setMany(entries: Record<string, unknown>, options?: WriteOptions): unknown {
    const keys = Object.keys(entries);
    this.guard(options, keys);
    this.#groupByGroup(keys, (key) => {
      this.put(key, write(entries[key]), this.replacing(this.value(key), options));
    });
    return { written: keys.length };
  }

  /** What one partition refuses is still done in the others. */
  #groupByGroup(keys: readonly string[], change: (key: string) => void): void {
    const isArray = (key: string): boolean => this.rows.get(key)?.kind === "array";
    const groups = this.together(keys);
    for (const group of groups) if (!group.some(isArray)) group.forEach(change);
    if (keys.some(isArray)) throw new Refusal("WrongTypeError");
  }

  delete(key: string, options?: GuardOptions): unknown {
    this.deleteIfExists(key, options);
    return true;
  }

  deleteIfExists(key: string, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const existed = this.value(key) !== undefined;
    this.drop(key);
    return existed;
  }

  deleteMany(keys: string[], options?: GuardOptions): unknown {
    this.guard(options, keys);
    const existing = new Set(keys.filter((key) => this.rows.get(key)?.kind === "value"));
    this.#groupByGroup(keys, (key) => this.drop(key));
    return { deleted: existing.size, missing: keys.length - existing.size };
  }

  deleteByPrefix(options: DeleteByPrefixOptions): unknown {
    const { prefix, limit } = options;
    this.guard(options, null);
    const matches = this.keysOf("value", prefix);
    const doomed = matches.slice(0, limit);
    for (const key of doomed) this.drop(key);
    return { deleted: doomed.length, done: doomed.length === matches.length };
  }

  fetchRemove(key: string, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    this.drop(key);
    return row === undefined ? null : read(row.text);
  }

  exists(key: string): unknown {
    return this.rows.has(key);
  }

  clear(): unknown {
    this.rows.clear();
    this.leases.clear();
    this.buckets.clear();
    return true;
  }

  incrementBy(key: string, delta: number, options?: CreateOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    const sum = inRange((row === undefined ? 0n : counter(row.text)) + BigInt(delta));
    this.put(key, `${sum}`, row === undefined ? this.creating(options) : row.deadline);
    return Number(sum);
  }

  getOrSet(key: string, value: unknown, options?: CreateOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    if (row !== undefined) return { value: read(row.text), loaded: true };
    this.put(key, write(value), this.creating(options));
    return { value: read(write(value)), loaded: false };
  }

  swap(key: string, value: unknown, options?: WriteOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    this.put(key, write(value), this.replacing(row, options));
    return { previous: row === undefined ? null : read(row.text), loaded: row !== undefined };
  }

  compareAndSwap(key: string, expected: unknown, value: unknown, options?: WriteOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    if (!this.#expectedIsThere(row, expected)) return false;
    this.put(key, write(value), this.replacing(row, options));
    return true;
  }

  compareAndSwapDetailed(
    key: string,
    expected: unknown,
    value: unknown,
    options?: WriteOptions & CompareOptions,
  ): unknown {
    const before = this.#mismatch(key, options);
    const swapped = this.compareAndSwap(key, expected, value, options);
    return swapped ? { swapped, reason: "swapped" } : { swapped, ...before };
  }

  setIfAbsent(key: string, value: unknown, options?: CreateOptions): unknown {
    return this.compareAndSwap(key, undefined, value, options);
  }

  compareAndDelete(key: string, expected: unknown, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const row = this.value(key);
    if (row === undefined || !same(row.text, write(expected))) return false;
    this.drop(key);
    return true;
  }

  compareAndDeleteDetailed(
    key: string,
    expected: unknown,
    options?: GuardOptions & CompareOptions,
  ): unknown {
    const before = this.#mismatch(key, options);
    const deleted = this.compareAndDelete(key, expected, options);
    return deleted ? { deleted, reason: "deleted" } : { deleted, ...before };
  }

  /** null and undefined expect an absent key. */
  #expectedIsThere(row: ValueRow | undefined, expected: unknown): boolean {
    if (expected === null || expected === undefined) return row === undefined;
    return row !== undefined && same(row.text, write(expected));
  }

  #mismatch(key: string, options: (GuardOptions & CompareOptions) | undefined): object {
    this.guard(options, [key]);
    const row = this.value(key);
    const mismatch = { reason: "mismatch", existed: row !== undefined };
    if (row === undefined || !options?.includeCurrentOnMismatch) return mismatch;
    return { ...mismatch, current: read(row.text) };
  }
}
