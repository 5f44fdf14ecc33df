// Filter: membership of items in a bucket, exact (no false positives), with expiry.
//
// Buckets are apart from each other and from the keys of the store, but they are part of it: they
// live where it lives, and `kv.clear()` empties them too. An item is text or bytes; bytes that are
// valid UTF-8 are the same item as their text.

import { base64Of } from "../base/encodings.js";
import { keyBytesMax, ttlMsMax } from "../base/limits.js";
import type { MemberRequest } from "../operations/requests.js";
import type { Store } from "../store/store.js";
import { checkText, countField } from "./arguments.js";
import type { Observer } from "./observe.js";
import { namedFields, namesOf } from "./option-names.js";
import type { GuardOptions } from "./types.js";
import { guardOf, guardOptions } from "./write-arguments.js";

/** Each `ttl` counts from the call that gives it, in milliseconds. */
export interface MemberOptions extends GuardOptions {
  ttl?: number | undefined;
}

const memberNames = namesOf<MemberOptions>({ claim: true, ttl: true });

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function itemText(item: unknown): string {
  if (!(item instanceof Uint8Array)) {
    checkText(item, "item", keyBytesMax);
    return `t${item}`;
  }
  const text = textOf(item);
  const encoded = text ?? base64Of(item);
  checkText(encoded, "item", keyBytesMax);
  // Bytes that are not UTF-8 cannot collide with text: their tag differs.
  return text === undefined ? `b${encoded}` : `t${encoded}`;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export class Filter {
  readonly bucket: string;
  /** @internal */
  protected readonly observer: Observer;
  readonly #store: () => Promise<Store>;

  /** @internal */
  constructor(bucket: string, observer: Observer, store: () => Promise<Store>) {
    this.bucket = bucket;
    this.observer = observer;
    this.#store = store;
  }

  /** Whether the item is there. O(1) in memory. */
  async contains(item: string | Uint8Array): Promise<boolean> {
    const request = { bucket: this.bucket, item: itemText(item) };
    return (await this.#store()).containsMember(request);
  }

  /** Adds an item, or replaces its expiry; true when it was not there before. */
  async add(item: string | Uint8Array, options?: MemberOptions): Promise<boolean> {
    const request = this.#addRequest(item, options);
    return (await this.#store()).addMember(request);
  }

  /** In one step: true when the item was there already, else false and now it is. */
  async checkThenAdd(item: string | Uint8Array, options?: MemberOptions): Promise<boolean> {
    const request = this.#addRequest(item, options);
    return (await this.#store()).checkThenAddMember(request);
  }

  /** Removes an item; whether it was there. */
  async delete(item: string | Uint8Array, options?: GuardOptions): Promise<boolean> {
    const request = { bucket: this.bucket, item: itemText(item), options: guardOptions(options) };
    return (await this.#store()).deleteMember(request);
  }

  /** Number of items of the bucket. O(log n). */
  async size(): Promise<number> {
    return (await this.#store()).countMembers({ bucket: this.bucket });
  }

  /** Removes all items of the bucket, in steps that let other work go on. */
  async clear(options?: GuardOptions): Promise<true> {
    const request = { bucket: this.bucket, options: guardOptions(options) };
    await (await this.#store()).clearMembers(request);
    return true;
  }

  #addRequest(item: string | Uint8Array, options: MemberOptions | undefined): MemberRequest {
    const member = { bucket: this.bucket, item: itemText(item) };
    const fields = namedFields(options, memberNames);
    return { ...member, options: guardOf(fields), ttl: countField(fields, "ttl", ttlMsMax) };
  }
}
