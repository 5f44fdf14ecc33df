// Arrays: ordered elements under a key, for queues and stacks. Both ends cost O(1).
//
// A key is a value or an array: array operations on a value, and value operations on an array,
// reject with `WrongTypeError`. An array vanishes with its last element.

import { listKeysMax, ttlMsMax } from "../base/limits.js";
import type { End } from "../operations/requests.js";
import {
  checkKey,
  field,
  isInteger,
  limitField,
  prefixField,
  refuse,
  signalField,
} from "./arguments.js";
import { ClaimMethods } from "./claims.js";
import { decodeValue, encodeValue } from "./encode-value.js";
import { namedFields, namesOf } from "./option-names.js";
import type { KeyOf, UntypedKey, ValueOf } from "./schema.js";
import type { CreateOptions, GuardOptions, ListOptions, WaitOptions } from "./types.js";
import { createOptions, guardOf, guardOptions } from "./write-arguments.js";

const listNames = namesOf<ListOptions>({ prefix: true, limit: true });
const waitNames = namesOf<WaitOptions>({ timeout: true, signal: true, claim: true });

/** An element of the array under a key: of the array type that the schema names, if any. */
type ElementOf<Schema, Key extends KeyOf<Schema>> =
  ValueOf<Schema, Key> extends readonly (infer Element)[] ? Element : ValueOf<Schema, Key>;

export abstract class ArrayMethods<Schema> extends ClaimMethods<Schema> {
  /** Adds an element at the end, creating the array when there is none; the new length. */
  append<Key extends KeyOf<Schema>>(
    key: Key,
    value: ElementOf<Schema, Key>,
    options?: CreateOptions,
  ): Promise<number> {
    return this.#push(key, value, "last", options);
  }

  /** Adds an element at the front, creating the array when there is none; the new length. */
  prepend<Key extends KeyOf<Schema>>(
    key: Key,
    value: ElementOf<Schema, Key>,
    options?: CreateOptions,
  ): Promise<number> {
    return this.#push(key, value, "first", options);
  }

  /** Removes the last element and resolves with it, or with null when there is no array. */
  pop<Key extends KeyOf<Schema>>(
    key: Key,
    options?: GuardOptions,
  ): Promise<ElementOf<Schema, Key> | null>;
  pop<Value>(key: UntypedKey<Schema>, options?: GuardOptions): Promise<Value | null>;
  pop(key: string, options?: GuardOptions): Promise<unknown> {
    return this.#pop(key, "last", options);
  }

  /** Removes the first element and resolves with it, or with null when there is no array. */
  popFirst<Key extends KeyOf<Schema>>(
    key: Key,
    options?: GuardOptions,
  ): Promise<ElementOf<Schema, Key> | null>;
  popFirst<Value>(key: UntypedKey<Schema>, options?: GuardOptions): Promise<Value | null>;
  popFirst(key: string, options?: GuardOptions): Promise<unknown> {
    return this.#pop(key, "first", options);
  }

  /**
   * `pop` that waits for an element, up to `timeout` milliseconds, and then resolves to null.
   * Whoever waits longest is served first.
   * @throws OperationCanceledError when the signal is aborted, StoreClosedError on `close`.
   */
  popWait<Key extends KeyOf<Schema>>(
    key: Key,
    options?: WaitOptions,
  ): Promise<ElementOf<Schema, Key> | null>;
  popWait<Value>(key: UntypedKey<Schema>, options?: WaitOptions): Promise<Value | null>;
  popWait(key: string, options?: WaitOptions): Promise<unknown> {
    return this.#popWait(key, "last", options);
  }

  /** `popFirst` that waits for an element: the receiving end of a queue. See `popWait`. */
  popFirstWait<Key extends KeyOf<Schema>>(
    key: Key,
    options?: WaitOptions,
  ): Promise<ElementOf<Schema, Key> | null>;
  popFirstWait<Value>(key: UntypedKey<Schema>, options?: WaitOptions): Promise<Value | null>;
  popFirstWait(key: string, options?: WaitOptions): Promise<unknown> {
    return this.#popWait(key, "first", options);
  }

  /** Number of elements; 0 when there is no array. */
  async length(key: KeyOf<Schema>): Promise<number> {
    checkKey(key);
    const store = this.ready ?? (await this.opened());
    return store.length(key);
  }

  /** Elements by position, as `Array.prototype.slice` counts: `end` excluded, negative from the end. */
  range<Key extends KeyOf<Schema>>(
    key: Key,
    start?: number,
    end?: number,
  ): Promise<ElementOf<Schema, Key>[]>;
  range<Value>(key: UntypedKey<Schema>, start?: number, end?: number): Promise<Value[]>;
  async range(key: string, start = 0, end: number = Number.MAX_SAFE_INTEGER): Promise<unknown[]> {
    checkKey(key);
    if (!isInteger(start)) refuse("start", "an integer", start);
    if (!isInteger(end)) refuse("end", "an integer", end);
    const store = this.ready ?? (await this.opened());
    const elements = await store.range({ key, start, end });
    return elements.map((element) => decodeValue(this.format, key, element));
  }

  /** Deletes an array; whether it was there. Values are refused: `WrongTypeError`. */
  async deleteArray(key: KeyOf<Schema>, options?: GuardOptions): Promise<boolean> {
    checkKey(key);
    const request = { key, options: guardOptions(options) };
    const store = this.ready ?? (await this.opened());
    return store.deleteArray(request);
  }

  /** Names of arrays in key order. */
  async listArrays(options?: ListOptions): Promise<KeyOf<Schema>[]> {
    const fields = namedFields(options, listNames);
    const request = { prefix: prefixField(fields), limit: limitField(fields, listKeysMax) };
    const store = this.ready ?? (await this.opened());
    return (await store.listArrays(request)) as KeyOf<Schema>[];
  }

  async #push(key: string, value: unknown, end: End, options: unknown): Promise<number> {
    checkKey(key);
    const encoded = encodeValue(this.format, key, value, options);
    const request = { key, value: encoded, end, options: createOptions(options) };
    const store = this.ready ?? (await this.opened());
    return store.push(request);
  }

  async #pop(key: string, end: End, options: unknown): Promise<unknown> {
    checkKey(key);
    const request = { key, end, options: guardOptions(options), check: this.format.check };
    const store = this.ready ?? (await this.opened());
    const stored = await store.pop(request);
    return stored === undefined ? null : decodeValue(this.format, key, stored);
  }

  async #popWait(key: string, end: End, options: WaitOptions | undefined): Promise<unknown> {
    checkKey(key);
    const fields = namedFields(options, waitNames);
    const timeoutMs = timeoutOption(field(fields, "timeout"));
    const signal = signalField(fields);
    const guard = guardOf(fields);
    const store = this.ready ?? (await this.opened());
    const signals = signal === undefined ? [this.closing] : [signal, this.closing];
    const { check } = this.format;
    const request = { key, end, options: guard, check, timeoutMs, signals };
    const stored = await store.popWait(request);
    return stored === undefined ? null : decodeValue(this.format, key, stored);
  }
}

function timeoutOption(timeout: unknown): number | undefined {
  if (timeout === undefined) return undefined;
  if (!isInteger(timeout) || timeout < 0 || timeout > ttlMsMax) {
    refuse('option "timeout"', `an integer from 0 to ${ttlMsMax}`, timeout);
  }
  return timeout;
}
