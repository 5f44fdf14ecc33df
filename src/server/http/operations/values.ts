// Values by key, and atomic read-modify-write operations on them.

import { prefixDeleteKeysMax } from "../../../base/limits.js";
import {
  argument,
  guard,
  type HttpOperation,
  kvOperation,
  option,
  optionalArgument,
  requiredOption,
  ttlOnCreate,
  ttlOption,
} from "../operation.js";
import {
  boolean,
  count,
  integer,
  key,
  keys,
  listOf,
  number,
  object,
  orNull,
  type Schema,
  text,
  value,
  yes,
} from "../schema.js";

const theKey = argument("key", key, "the key");
const theValue = argument("value", value, "the value", "value");
const compress = option("compress", boolean, "keep the value compressed if that makes it smaller");
const keepTtl = option("keepTtl", boolean, "keep the expiry that the key has; not with `ttl`");
const writing = [ttlOption, keepTtl, compress, guard];
const creating = [ttlOnCreate, compress, guard];
const expectedValue = argument(
  "expected",
  value,
  "the value that must be there; null or absent: the key must not be there",
  "value",
);
const withCurrent = option(
  "includeCurrentOnMismatch",
  boolean,
  "add `current` to a mismatch on an existing key",
);

const values = (method: Parameters<typeof kvOperation>[1], details: Details): HttpOperation =>
  kvOperation("Values", method, details);
const atomics = (method: Parameters<typeof kvOperation>[1], details: Details): HttpOperation =>
  kvOperation("Atomic changes", method, details);
type Details = Parameters<typeof kvOperation>[2];

export const valueOperations: readonly HttpOperation[] = [
  values("get", {
    access: "read",
    summary: "The value of a key; 404 with `KeyNotFoundError` when there is none.",
    parameters: [theKey],
    result: value,
  }),
  values("find", {
    access: "read",
    summary: "The value of a key.",
    parameters: [theKey],
    result: value,
    absent: "there is no such key",
  }),
  values("getMany", {
    access: "read",
    summary: "Many values in the order of the keys. One consistent state.",
    parameters: [argument("keys", listOf(text), 'the keys; "" is always missing')],
    result: listOf(object({ key: text, exists: boolean, value: orNull(value) })),
  }),
  values("set", {
    access: "write",
    summary: "Writes a value, replacing value and expiry.",
    parameters: [theKey, theValue, ...writing],
    result: yes,
    // The method gives back what it was given; whoever has sent it needs it no second time.
    told: () => true,
  }),
  values("setMany", {
    access: "write",
    summary: "Writes all entries or none; the error lists every bad one in `errors`.",
    parameters: [
      argument(
        "entries",
        { type: "object", additionalProperties: value },
        "the values by their keys",
        "entries",
      ),
      ...writing,
    ],
    result: object({ written: count }),
  }),
  values("delete", {
    access: "write",
    summary: "Deletes a value, whether or not it is there.",
    parameters: [theKey, guard],
    result: yes,
  }),
  values("deleteIfExists", {
    access: "write",
    summary: "Deletes a value; whether it was there.",
    parameters: [theKey, guard],
    result: boolean,
  }),
  values("deleteMany", {
    access: "write",
    summary: "Deletes all keys or, on an error, none.",
    parameters: [argument("keys", keys, "the keys"), guard],
    result: object({ deleted: count, missing: count }),
  }),
  values("deleteByPrefix", {
    access: "write",
    summary: "Deletes the first values of a prefix in key order; `done` when none is left.",
    parameters: [
      requiredOption("prefix", { ...text, minLength: 1 }, "what the keys begin with"),
      requiredOption("limit", integer(1, prefixDeleteKeysMax), "how many at most"),
      guard,
    ],
    result: object({ deleted: count, done: boolean }),
  }),
  values("fetchRemove", {
    access: "write",
    summary: "Deletes a value and answers with it, or with null when there was none.",
    parameters: [theKey, guard],
    result: orNull(value),
  }),
  values("exists", {
    access: "read",
    summary: "Whether the key is there, as a value or as an array.",
    parameters: [theKey],
    result: boolean,
  }),
  values("clear", {
    access: "write",
    summary: "Removes everything: values, arrays, claims and filters.",
    parameters: [guard],
    result: yes,
  }),
];

const mismatch = (name: string): Schema => ({
  oneOf: [
    object({ [name]: { const: true }, reason: { const: name } }),
    object({
      [name]: { const: false },
      reason: { const: "mismatch" },
      existed: boolean,
      "current?": value,
    }),
  ],
});

export const atomicOperations: readonly HttpOperation[] = [
  atomics("incrementBy", {
    access: "write",
    summary: "Adds to a counter, which starts at 0, and answers with the sum.",
    parameters: [
      theKey,
      argument("delta", { type: "integer" }, "what is added, within 64 bits"),
      ttlOnCreate,
      guard,
    ],
    result: number,
  }),
  atomics("getOrSet", {
    access: "write",
    summary: "The value of a key, which is written first when it is missing (`loaded: false`).",
    parameters: [theKey, theValue, ...creating],
    result: object({ value, loaded: boolean }),
  }),
  atomics("swap", {
    access: "write",
    summary: "Replaces a value; `previous` is null when there was none (`loaded: false`).",
    parameters: [theKey, theValue, ...writing],
    result: object({ previous: orNull(value), loaded: boolean }),
  }),
  atomics("compareAndSwap", {
    access: "write",
    summary: "Writes a value if the present one is as expected; whether it was.",
    parameters: [theKey, optionalArgument(expectedValue), theValue, ...writing],
    result: boolean,
  }),
  atomics("compareAndSwapDetailed", {
    access: "write",
    summary: "`compare_and_swap` that tells why it did not swap.",
    parameters: [theKey, optionalArgument(expectedValue), theValue, ...writing, withCurrent],
    result: mismatch("swapped"),
  }),
  atomics("setIfAbsent", {
    access: "write",
    summary: "Writes a value unless the key is there; whether it was written.",
    parameters: [theKey, theValue, ...creating],
    result: boolean,
  }),
  atomics("compareAndDelete", {
    access: "write",
    summary: "Deletes a value if it is as expected; whether it was.",
    parameters: [
      theKey,
      argument("expected", value, "the value that must be there", "value"),
      guard,
    ],
    result: boolean,
  }),
  atomics("compareAndDeleteDetailed", {
    access: "write",
    summary: "`compare_and_delete` that tells why it did not delete.",
    parameters: [
      theKey,
      argument("expected", value, "the value that must be there", "value"),
      guard,
      withCurrent,
    ],
    result: mismatch("deleted"),
  }),
];
