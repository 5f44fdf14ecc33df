// Values by key, alone and in batches.

import { KeyNotFoundError } from "../base/errors.js";
import { prefixDeleteKeysMax } from "../base/limits.js";
import type { Stored } from "../engine/stored.js";
import { checkKey, checkKeys, refuse, requiredCountField, textField } from "./arguments.js";
import { decodeValue, encodeValue, isCompressed } from "./encode-value.js";
import { encodeEntries } from "./entries-argument.js";
import { Handle } from "./handle.js";
import { namesOf, tolerantFields } from "./option-names.js";
import type { KeyOf, UntypedKey, ValueOf } from "./schema.js";
import type { DeleteByPrefixOptions, GuardOptions, MaybeEntry, WriteOptions } from "./types.js";
import { guardOf, guardOptions, replaceOptions } from "./write-arguments.js";

const prefixDeleteNames = namesOf<DeleteByPrefixOptions>({
  prefix: true,
  limit: true,
  claim: true,
});

export abstract class ValueMethods<Schema> extends Handle {
  /**
   * The value of a key.
   * @throws KeyNotFoundError when the key is missing; `find` resolves to undefined instead.
   * O(1) in memory.
   */
  get<Key extends KeyOf<Schema>>(key: Key): Promise<ValueOf<Schema, Key>>;
  get<Value>(key: UntypedKey<Schema>): Promise<Value>;
  async get(key: string): Promise<unknown> {
    checkKey(key);
    const store = this.ready ?? (await this.opened());
    const found = store.get(key);
    const stored = found instanceof Promise ? await found : found;
    if (stored === undefined)
      throw new KeyNotFoundError(`key not found: ${JSON.stringify(key)}`, { key });
    return decodeValue(this.format, key, stored);
  }

  /** The value of a key, or undefined when the key is missing. */
  find<Key extends KeyOf<Schema>>(key: Key): Promise<ValueOf<Schema, Key> | undefined>;
  find<Value>(key: UntypedKey<Schema>): Promise<Value | undefined>;
  async find(key: string): Promise<unknown> {
    checkKey(key);
    const store = this.ready ?? (await this.opened());
    const found = store.get(key);
    const stored = found instanceof Promise ? await found : found;
    return stored === undefined ? undefined : decodeValue(this.format, key, stored);
  }

  /**
   * Many values in the order of `keys`, missing ones with `exists: false`. One consistent state.
   * "" is allowed and always missing; keys may repeat.
   */
  async getMany<Value = ValueOf<Schema>>(keys: readonly string[]): Promise<MaybeEntry<Value>[]> {
    checkKeys(keys, true);
    const wanted = [...keys];
    const store = this.ready ?? (await this.opened());
    const found = await store.getMany(wanted);
    return wanted.map((key, index) => this.#maybeEntry<Value>(key, found[index]));
  }

  /** Writes a value, replacing value and expiry; resolves with the value that was passed. */
  set<Value>(key: UntypedKey<Schema>, value: Value, options?: WriteOptions): Promise<Value>;
  set<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: WriteOptions,
  ): Promise<ValueOf<Schema, Key>>;
  async set(key: string, value: unknown, options?: WriteOptions): Promise<unknown> {
    checkKey(key);
    const encoded = encodeValue(this.format, key, value, options);
    const request = { key, value: encoded, options: replaceOptions(options) };
    const store = this.ready ?? (await this.opened());
    const written = store.set(request);
    if (written instanceof Promise) await written;
    return value;
  }

  /**
   * Writes all entries or none. Nothing is written when one of them cannot be: the
   * `InvalidOptionsError` then lists every bad entry in `errors`.
   */
  async setMany(
    entries: { readonly [Key in KeyOf<Schema>]?: Schema[Key] },
    options?: WriteOptions,
  ): Promise<{ written: number }> {
    const encoded = encodeEntries(entries, this.format, isCompressed(options));
    const request = { entries: encoded, options: replaceOptions(options) };
    const store = this.ready ?? (await this.opened());
    await store.setMany(request);
    return { written: encoded.length };
  }

  /** Deletes a value; true whether or not it was there. Arrays are refused: `WrongTypeError`. */
  async delete(key: KeyOf<Schema>, options?: GuardOptions): Promise<true> {
    await this.#delete(key, options);
    return true;
  }

  /** Deletes a value; whether it was there. */
  deleteIfExists(key: KeyOf<Schema>, options?: GuardOptions): Promise<boolean> {
    return this.#delete(key, options);
  }

  async #delete(key: string, options: GuardOptions | undefined): Promise<boolean> {
    checkKey(key);
    const request = { key, options: guardOptions(options) };
    const store = this.ready ?? (await this.opened());
    return store.delete(request);
  }

  /** Deletes all keys or, on an error, none. The second occurrence of a key counts as missing. */
  async deleteMany(
    keys: readonly KeyOf<Schema>[],
    options?: GuardOptions,
  ): Promise<{ deleted: number; missing: number }> {
    checkKeys(keys);
    const request = { keys: [...keys], options: guardOptions(options) };
    const store = this.ready ?? (await this.opened());
    const deleted = await store.deleteMany(request);
    return { deleted, missing: request.keys.length - deleted };
  }

  /** Deletes the first `limit` values of a prefix in key order; `done` when none is left. */
  async deleteByPrefix(
    options: DeleteByPrefixOptions,
  ): Promise<{ deleted: number; done: boolean }> {
    const fields = tolerantFields(options, prefixDeleteNames, "deleteByPrefix");
    const prefix = textField(fields, "prefix");
    if (prefix === undefined || prefix === "") {
      refuse('option "prefix"', "a non-empty string", prefix);
    }
    const limit = requiredCountField(fields, "limit", prefixDeleteKeysMax);
    const request = { prefix, limit, options: guardOf(fields) };
    const store = this.ready ?? (await this.opened());
    return store.deleteByPrefix(request);
  }

  /** Deletes a value and resolves with it, or with null when there was none. */
  fetchRemove<Key extends KeyOf<Schema>>(
    key: Key,
    options?: GuardOptions,
  ): Promise<ValueOf<Schema, Key> | null>;
  fetchRemove<Value>(key: UntypedKey<Schema>, options?: GuardOptions): Promise<Value | null>;
  async fetchRemove(key: string, options?: GuardOptions): Promise<unknown> {
    checkKey(key);
    const request = { key, options: guardOptions(options), check: this.format.check };
    const store = this.ready ?? (await this.opened());
    const stored = await store.fetchRemove(request);
    return stored === undefined ? null : decodeValue(this.format, key, stored);
  }

  /** Whether the key is there, as a value or as an array. */
  async exists(key: KeyOf<Schema>): Promise<boolean> {
    checkKey(key);
    const store = this.ready ?? (await this.opened());
    return store.exists(key);
  }

  /** Removes everything: values, arrays, claims and filter items. Tokens go on rising. */
  async clear(options?: GuardOptions): Promise<true> {
    const guard = guardOptions(options);
    const store = this.ready ?? (await this.opened());
    await store.clear(guard);
    return true;
  }

  #maybeEntry<Value>(key: string, stored: Stored | undefined): MaybeEntry<Value> {
    if (stored === undefined) return { key, exists: false, value: null };
    return { key, exists: true, value: decodeValue(this.format, key, stored) as Value };
  }
}
