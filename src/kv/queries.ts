// Queries over values in key order (UTF-8 byte order), counts and random keys.
// Claimed keys are seen like all others; arrays are not.

import { listKeysMax, randomKeysMax, scanPageKeysMax } from "../base/limits.js";
import type { ScanRequest, Entry as StoredEntry } from "../operations/requests.js";
import {
  booleanField,
  limitField,
  prefixField,
  requiredCountField,
  textField,
} from "./arguments.js";
import { AtomicMethods } from "./atomics.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { decodeValue } from "./encode-value.js";
import { namesOf, tolerantFields } from "./option-names.js";
import { pageBytesMaxOf } from "./page-bytes.js";
import type { KeyOf, ValueOf } from "./schema.js";
import { unpackedLength } from "./serialization/compressed.js";
import type {
  Entry,
  KeyPage,
  ListOptions,
  PrefixOptions,
  RandomKeysOptions,
  ScanOptions,
  ScanPage,
} from "./types.js";

const prefixNames = namesOf<PrefixOptions>({ prefix: true });
const listNames = namesOf<ListOptions>({ prefix: true, limit: true });
const scanNames = namesOf<ScanOptions>({ prefix: true, limit: true, cursor: true });
const randomKeysNames = namesOf<RandomKeysOptions>({ prefix: true, count: true, unique: true });

export abstract class QueryMethods<Schema> extends AtomicMethods<Schema> {
  /**
   * One page of entries in key order. Pages are not a snapshot: a page begins at the first key
   * greater than the last one of the page before. O(log n) plus the size of the page.
   * @throws InvalidCursorError when the cursor is not one of ours.
   */
  async scan<Value = ValueOf<Schema>>(
    options?: ScanOptions,
  ): Promise<ScanPage<Value, KeyOf<Schema>>> {
    const request = scanRequest(options, "scan");
    const store = this.ready ?? (await this.opened());
    const { bytesMax } = request;
    const page = await store.scan(request);
    const given = bytesMax === undefined ? page.entries : fitting(page.entries, bytesMax);
    const done = page.done && given.length === page.entries.length;
    const cursor = done ? "" : encodeCursor(given.at(-1)?.key ?? request.after);
    return { entries: this.#decodeAll<Value>(given), cursor, done };
  }

  /** `scan` without values. */
  async scanKeys(options?: ScanOptions): Promise<KeyPage<KeyOf<Schema>>> {
    const request = scanRequest(options, "scanKeys");
    const store = this.ready ?? (await this.opened());
    const { keys, done } = await store.scanKeys(request);
    const cursor = done ? "" : encodeCursor(keys.at(-1) ?? request.after);
    return { keys: keys as KeyOf<Schema>[], cursor, done };
  }

  /** Entries in key order, all at once; prefer `scan` for many. */
  async list<Value = ValueOf<Schema>>(
    options?: ListOptions,
  ): Promise<Entry<Value, KeyOf<Schema>>[]> {
    const request = listRequest(options, "list");
    const store = this.ready ?? (await this.opened());
    return this.#decodeAll<Value>((await store.scan(request)).entries);
  }

  /** Keys in order, all at once; prefer `scanKeys` for many. */
  async listKeys(options?: ListOptions): Promise<KeyOf<Schema>[]> {
    const request = listRequest(options, "listKeys");
    const store = this.ready ?? (await this.opened());
    return (await store.scanKeys(request)).keys as KeyOf<Schema>[];
  }

  /** Number of values. O(1). */
  async size(): Promise<number> {
    const store = this.ready ?? (await this.opened());
    return store.count("");
  }

  /** Number of values whose key begins with the prefix. O(log n). */
  async count(options?: PrefixOptions): Promise<number> {
    const prefix = prefixField(tolerantFields(options, prefixNames, "count"));
    const store = this.ready ?? (await this.opened());
    return store.count(prefix);
  }

  /** A uniformly chosen key of the prefix, or "" when there is none. O(log n). */
  async randomKey(options?: PrefixOptions): Promise<KeyOf<Schema> | ""> {
    const prefix = prefixField(tolerantFields(options, prefixNames, "randomKey"));
    const store = this.ready ?? (await this.opened());
    const keys = await store.randomKeys({ prefix, count: 1, unique: true });
    return (keys[0] ?? "") as KeyOf<Schema> | "";
  }

  /**
   * Uniformly chosen keys in random order: distinct ones, as many as there are, or with
   * `unique: false` exactly `count` unless there are none at all.
   */
  async randomKeys(options: RandomKeysOptions): Promise<KeyOf<Schema>[]> {
    const fields = tolerantFields(options, randomKeysNames, "randomKeys");
    const request = {
      prefix: prefixField(fields),
      count: requiredCountField(fields, "count", randomKeysMax),
      unique: booleanField(fields, "unique", true),
    };
    const store = this.ready ?? (await this.opened());
    return (await store.randomKeys(request)) as KeyOf<Schema>[];
  }

  #decodeAll<Value>(entries: readonly StoredEntry[]): Entry<Value, KeyOf<Schema>>[] {
    return entries.map(({ key, value }) => ({
      key: key as KeyOf<Schema>,
      value: decodeValue(this.format, key, value) as Value,
    }));
  }
}

/** The request for a page, of every method that gives pages. */
export function scanRequest(options: ScanOptions | undefined, method: string): ScanRequest {
  const fields = tolerantFields(options, scanNames, method);
  const prefix = prefixField(fields);
  const limit = limitField(fields, scanPageKeysMax);
  const after = decodeCursor(textField(fields, "cursor") ?? "");
  return { prefix, limit, after, bytesMax: pageBytesMaxOf(options) };
}

/** Those with which a page is full when they have been unpacked: the store counts them as they are. */
function fitting(entries: readonly StoredEntry[], bytesMax: number): readonly StoredEntry[] {
  let bytes = 0;
  const last = entries.findIndex(({ value }) => {
    bytes += unpackedLength(value);
    return bytes >= bytesMax;
  });
  return last === -1 ? entries : entries.slice(0, last + 1);
}

function listRequest(options: ListOptions | undefined, method: string): ScanRequest {
  const fields = tolerantFields(options, listNames, method);
  return { prefix: prefixField(fields), limit: limitField(fields, listKeysMax), after: "" };
}
