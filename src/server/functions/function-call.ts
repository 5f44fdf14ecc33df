// Function call: the arguments of one call, as its operation needs them.
//
// Positions count from 0. Whatever does not have the form that docs/formats/valkey.md gives is refused
// before anything else happens.

import { bucketBytesMax, claimOwnerBytesMax, keyBytesMax, ttlMsMax } from "../../base/limits.js";
import { never } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import type {
  ClaimRef,
  CreateOptions,
  End,
  Guard,
  LeaseOptions,
  ReplaceOptions,
} from "../../operations/requests.js";
import type { Argument } from "../resp/argument.js";
import { malformed } from "./refusals.js";
import type { StoredForms } from "./stored-forms.js";

/** Of one call: what is large is done in pages. */
const argumentsMax = 100_000;
/** Rows of a page. */
export const rowsMax = 100_000;
/** An item is a key and one more byte. */
const itemBytesMax = keyBytesMax + 1;
/** UTF-8 never needs more than three bytes for a UTF-16 code unit. */
const codeUnitBytesMax = 3;

export const randomBound = 2 ** 53;

const wholeNumber = /^\d{1,16}$/;
const integer = /^-?\d{1,20}$/;
const claimForm = /^(\d+) (.*)$/s;

export class FunctionCall {
  readonly operation: string;
  readonly forms: StoredForms;
  readonly #words: readonly Argument[];
  /** Arrays that have got elements, in the transaction that is under way. */
  pushed: string[] = [];

  constructor(operation: string, words: readonly Argument[], forms: StoredForms) {
    this.operation = operation;
    this.forms = forms;
    this.#words = words;
    if (words.length > argumentsMax) this.refuse(`at most ${argumentsMax} arguments`);
  }

  get length(): number {
    return this.#words.length;
  }

  refuse(what: string): never {
    throw malformed(this.operation, what);
  }

  /** Refuses other numbers of arguments than `first` and any number of groups of `step` ones. */
  grouped(first: number, step: number): void {
    const rest = this.length - first;
    if (rest < 0 || rest % step !== 0) this.refuse("wrong number of arguments");
  }

  word(index: number): Argument {
    return this.#words[index] ?? this.refuse("too few arguments");
  }

  text(index: number): string {
    const word = this.word(index);
    return typeof word === "string" ? word : this.refuse("text must be UTF-8");
  }

  #bounded(text: string, bytesMax: number): string {
    if (text.length * codeUnitBytesMax > bytesMax && Buffer.byteLength(text) > bytesMax) {
      this.refuse(`at most ${bytesMax} bytes of UTF-8`);
    }
    return text;
  }

  /** A key to look for: "" is that of nothing. */
  sought(index: number): string {
    return this.#bounded(this.text(index), keyBytesMax);
  }

  key(index: number): string {
    return this.sought(index) || this.refuse("a key must not be empty");
  }

  bucket(index: number): string {
    return this.#bounded(this.text(index), bucketBytesMax);
  }

  item(index: number): string {
    return this.#bounded(this.text(index), itemBytesMax);
  }

  owner(index: number): string {
    return this.#bounded(this.text(index), claimOwnerBytesMax);
  }

  /** Every `step`th argument from a position on, as keys. */
  keys(first: number, step = 1): string[] {
    return this.#each(first, step, (index) => this.key(index));
  }

  soughtKeys(first: number): string[] {
    return this.#each(first, 1, (index) => this.sought(index));
  }

  #each<Item>(first: number, step: number, read: (index: number) => Item): Item[] {
    const items: Item[] = [];
    for (let index = first; index < this.length; index += step) items.push(read(index));
    return items;
  }

  /** Something out of each group of `step` arguments. */
  groups<Item>(first: number, step: number, read: (index: number) => Item): Item[] {
    this.grouped(first, step);
    return this.#each(first, step, read);
  }

  count(index: number): number {
    const text = this.text(index);
    const number = wholeNumber.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(number) ? number : this.refuse("a count must be a whole number");
  }

  /** How many rows a page may have. */
  limit(index: number): number {
    const count = this.count(index);
    return count <= rowsMax ? count : this.refuse(`at most ${rowsMax} rows`);
  }

  /** As `limit`, where a page of nothing would never come to an end. */
  rows(index: number): number {
    return this.limit(index) || this.refuse("at least one row");
  }

  /** A position as `Array.prototype.slice` takes it. */
  position(index: number): number {
    const text = this.text(index);
    return integer.test(text) || /^-?Infinity$/.test(text)
      ? Number(text)
      : this.refuse("a position must be an integer");
  }

  delta(index: number): number {
    const text = this.text(index);
    if (!integer.test(text)) this.refuse("a delta must be a whole number");
    const number = Number(text);
    const isExact = Number.isSafeInteger(number) || BigInt(number) === BigInt(text);
    if (!isExact || number >= 2 ** 63 || number < -(2 ** 63)) {
      this.refuse("a delta must be a whole number of 64 bits that a double can hold");
    }
    return number;
  }

  milliseconds(index: number): number {
    const count = this.count(index);
    return count <= ttlMsMax ? count : this.refuse(`at most ${ttlMsMax} milliseconds`);
  }

  flag(index: number): boolean {
    return this.text(index) === "1";
  }

  end(index: number): End {
    const end = this.text(index);
    return end === "first" || end === "last" ? end : this.refuse("an end is `first` or `last`");
  }

  random(index: number): number {
    const number = this.count(index);
    return number < randomBound ? number : this.refuse("a random number is below 2^53");
  }

  randoms(first: number): number[] {
    return this.#each(first, 1, (index) => this.random(index));
  }

  /** "" or nothing where there is none. */
  optional(index: number): string {
    return index < this.length ? this.text(index) : "";
  }

  #has(index: number): boolean {
    return this.optional(index) !== "";
  }

  /** `<token> <key>`. What does not have that form is held by nobody. */
  guard(index: number): Guard | undefined {
    const text = this.optional(index);
    if (text === "") return undefined;
    const [, token = "", key = ""] = claimForm.exec(text) ?? [];
    return { claim: claimOf(this.#bounded(key, keyBytesMax), token) };
  }

  /** A claim out of the key at a position and the token behind it. */
  claim(index: number): ClaimRef {
    return claimOf(this.key(index), this.text(index + 1));
  }

  /** Guard and expiry of what replaces a value. */
  replacing(guard: number, expiry: number): ReplaceOptions | undefined {
    const options = this.guard(guard);
    if (!this.#has(expiry)) return options;
    if (this.text(expiry) === "keep") return { ...options, keepTtl: true };
    return { ...options, ttl: this.milliseconds(expiry) };
  }

  /** Guard and expiry of what is changed in place: the expiry counts if it is new. */
  creating(guard: number, expiry: number): CreateOptions | undefined {
    const options = this.guard(guard);
    if (!this.#has(expiry) || this.text(expiry) === "keep") return options;
    return { ...options, ttl: this.milliseconds(expiry) };
  }

  ttl(index: number): number | undefined {
    return this.#has(index) ? this.milliseconds(index) : undefined;
  }

  /** Milliseconds and owner, one behind the other. */
  lease(index: number): LeaseOptions {
    return { ttl: this.milliseconds(index), owner: this.owner(index + 1) };
  }

  /** A moment; `none` stands for never. */
  deadline(index: number, none: "" | "inf" = ""): number {
    const text = this.text(index);
    return text === none || text === "" ? never : this.count(index);
  }

  value(index: number): Stored {
    return this.forms.accept(this.word(index));
  }

  /** As `value`, of a copy or a restore. */
  copiedValue(index: number): Stored {
    return this.forms.copied(this.word(index));
  }

  /** The arguments from a position on, as they came. */
  rest(first: number): readonly Argument[] {
    return this.#words.slice(first);
  }
}

function claimOf(key: string, text: string): ClaimRef {
  const number = Number(text);
  const token = wholeNumber.test(text) && String(number) === text ? number : 0;
  return { id: `claim-${token}`, key, token };
}

/** A moment as it is told; `none` for never. */
export function deadlineText(deadline: number, none: "" | "inf"): string {
  return deadline === never ? none : String(deadline);
}
