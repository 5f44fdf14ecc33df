// Atomic read-modify-write operations on one value.

import type { Comparison } from "../operations/atomics.js";
import { assertDelta } from "../operations/counter.js";
import { booleanField, checkKey, type Fields } from "./arguments.js";
import { decodeValue, encodeValue } from "./encode-value.js";
import { namesOf, tolerantFields } from "./option-names.js";
import type { KeyOf, UntypedKey, ValueOf } from "./schema.js";
import type {
  CompareOptions,
  CounterOptions,
  CreateOptions,
  DeleteResult,
  GuardOptions,
  SwapResult,
  WriteOptions,
} from "./types.js";
import { ValueMethods } from "./values.js";
import {
  counterOptions,
  createOptions,
  guardOf,
  guardOptions,
  replaceOf,
  replaceOptions,
} from "./write-arguments.js";

const swapNames = namesOf<WriteOptions & CompareOptions>({
  claim: true,
  ttl: true,
  compress: true,
  keepTtl: true,
  includeCurrentOnMismatch: true,
});
const deleteNames = namesOf<GuardOptions & CompareOptions>({
  claim: true,
  includeCurrentOnMismatch: true,
});

export abstract class AtomicMethods<Schema> extends ValueMethods<Schema> {
  /**
   * Adds `delta` to a counter; a missing one starts at 0 and takes `ttl`, an existing one keeps its
   * expiry. The sum is exact in 64 bits and stored as a decimal; what is returned is a double.
   * @throws ValueNumberRequiredError when `delta` is not an integer.
   * @throws ValueParseError when the value is not a counter, or would overflow 64 bits.
   */
  async incrementBy(key: KeyOf<Schema>, delta: number, options?: CounterOptions): Promise<number> {
    checkKey(key);
    const create = counterOptions(options);
    assertDelta(delta, key);
    const request = { key, delta, options: create };
    const store = this.ready ?? (await this.opened());
    const sum = store.incrementBy(request);
    return sum instanceof Promise ? await sum : sum;
  }

  /** The value of a key, which is written first when the key is missing (`loaded: false`). */
  getOrSet<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: CreateOptions,
  ): Promise<{ value: ValueOf<Schema, Key>; loaded: boolean }>;
  getOrSet<Value>(
    key: UntypedKey<Schema>,
    value: Value,
    options?: CreateOptions,
  ): Promise<{ value: Value; loaded: boolean }>;
  async getOrSet(
    key: string,
    value: unknown,
    options?: CreateOptions,
  ): Promise<{ value: unknown; loaded: boolean }> {
    checkKey(key);
    const encoded = encodeValue(this.format, key, value, options);
    const request = { key, value: encoded, options: createOptions(options) };
    const store = this.ready ?? (await this.opened());
    const result = await store.getOrSet(request);
    return { value: decodeValue(this.format, key, result.value), loaded: result.loaded };
  }

  /** Replaces a value; `previous` is null when there was none (`loaded: false`). */
  swap<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: WriteOptions,
  ): Promise<{ previous: ValueOf<Schema, Key> | null; loaded: boolean }>;
  swap<Value>(
    key: UntypedKey<Schema>,
    value: unknown,
    options?: WriteOptions,
  ): Promise<{ previous: Value | null; loaded: boolean }>;
  async swap(
    key: string,
    value: unknown,
    options?: WriteOptions,
  ): Promise<{ previous: unknown; loaded: boolean }> {
    checkKey(key);
    const encoded = encodeValue(this.format, key, value, options);
    const replace = replaceOptions(options);
    const request = { key, value: encoded, options: replace, check: this.format.check };
    const store = this.ready ?? (await this.opened());
    const previous = await store.swap(request);
    if (previous === undefined) return { previous: null, loaded: false };
    return { previous: decodeValue(this.format, key, previous), loaded: true };
  }

  /**
   * Writes `value` if the current value equals `expected`; null or undefined expects the key to be
   * absent. JSON values are equal whatever the order of their properties.
   */
  async compareAndSwap<Key extends KeyOf<Schema>>(
    key: Key,
    expected: ValueOf<Schema, Key> | null | undefined,
    value: ValueOf<Schema, Key>,
    options?: WriteOptions,
  ): Promise<boolean> {
    return (await this.#compareAndSwap(key, expected, value, options)).matched;
  }

  /** `compareAndSwap` that tells why it did not swap. */
  async compareAndSwapDetailed<Key extends KeyOf<Schema>>(
    key: Key,
    expected: ValueOf<Schema, Key> | null | undefined,
    value: ValueOf<Schema, Key>,
    options?: WriteOptions & CompareOptions,
  ): Promise<SwapResult<ValueOf<Schema, Key>>> {
    const named = tolerantFields(options, swapNames, "compareAndSwapDetailed");
    const withCurrent = includesCurrent(named);
    const replaceAmong = () => replaceOf(named);
    const outcome = await this.#compareAndSwap(key, expected, value, options, replaceAmong);
    if (outcome.matched) return { swapped: true, reason: "swapped" };
    return { swapped: false, ...this.#mismatch<ValueOf<Schema, Key>>(key, outcome, withCurrent) };
  }

  /** Writes a value unless the key is there; whether it was written. */
  async setIfAbsent<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: CreateOptions,
  ): Promise<boolean> {
    return (await this.#compareAndSwap(key, undefined, value, options, createOptions)).matched;
  }

  /** Deletes the value if it equals `expected`; null expects a stored null, not an absent key. */
  async compareAndDelete<Key extends KeyOf<Schema>>(
    key: Key,
    expected: ValueOf<Schema, Key> | null | undefined,
    options?: GuardOptions,
  ): Promise<boolean> {
    return (await this.#compareAndDelete(key, expected, options)).matched;
  }

  /** `compareAndDelete` that tells why it did not delete. */
  async compareAndDeleteDetailed<Key extends KeyOf<Schema>>(
    key: Key,
    expected: ValueOf<Schema, Key> | null | undefined,
    options?: GuardOptions & CompareOptions,
  ): Promise<DeleteResult<ValueOf<Schema, Key>>> {
    const named = tolerantFields(options, deleteNames, "compareAndDeleteDetailed");
    const withCurrent = includesCurrent(named);
    const guardAmong = () => guardOf(named);
    const outcome = await this.#compareAndDelete(key, expected, options, guardAmong);
    if (outcome.matched) return { deleted: true, reason: "deleted" };
    return { deleted: false, ...this.#mismatch<ValueOf<Schema, Key>>(key, outcome, withCurrent) };
  }

  async #compareAndSwap(
    key: string,
    expected: unknown,
    value: unknown,
    options: WriteOptions | undefined,
    replaceFrom = replaceOptions,
  ): Promise<Comparison> {
    checkKey(key);
    const { format } = this;
    const request = {
      key,
      expected:
        expected === null || expected === undefined
          ? undefined
          : encodeValue(format, key, expected),
      value: encodeValue(format, key, value, options),
      same: format.equal,
      options: replaceFrom(options),
    };
    const store = this.ready ?? (await this.opened());
    return store.compareAndSwap(request);
  }

  async #compareAndDelete(
    key: string,
    expected: unknown,
    options: GuardOptions | undefined,
    guardFrom = guardOptions,
  ): Promise<Comparison> {
    checkKey(key);
    const { format } = this;
    const guard = guardFrom(options);
    const request = {
      key,
      expected: encodeValue(format, key, expected),
      same: format.equal,
      options: guard,
    };
    const store = this.ready ?? (await this.opened());
    return store.compareAndDelete(request);
  }

  #mismatch<Value>(
    key: string,
    { current }: Comparison,
    withCurrent: boolean,
  ): { reason: "mismatch"; existed: boolean; current?: Value } {
    if (current === undefined) return { reason: "mismatch", existed: false };
    if (!withCurrent) return { reason: "mismatch", existed: true };
    const value = decodeValue(this.format, key, current) as Value;
    return { reason: "mismatch", existed: true, current: value };
  }
}

function includesCurrent(fields: Fields): boolean {
  return booleanField(fields, "includeCurrentOnMismatch", false);
}
