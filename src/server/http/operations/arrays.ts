// Arrays and filters.

import { keyBytesMax, listKeysMax, ttlMsMax } from "../../../base/limits.js";
import {
  argument,
  filterOperation,
  guard,
  type HttpOperation,
  kvOperation,
  option,
  optionalArgument,
  ttlOnCreate,
} from "../operation.js";
import {
  boolean,
  bucket,
  count,
  integer,
  key,
  keys,
  listOf,
  object,
  orNull,
  type Schema,
  text,
  ttl,
  value,
  yes,
} from "../schema.js";

const theKey = argument("key", key, "the key of the array");
const element = argument("value", value, "the element", "value");
const compress = option(
  "compress",
  boolean,
  "keep the element compressed if that makes it smaller",
);
const pushing = [theKey, element, ttlOnCreate, compress, guard];
const waiting = [
  theKey,
  option("timeout", integer(0, ttlMsMax), "milliseconds to wait at most; absent: without end"),
  guard,
];

type Details = Parameters<typeof kvOperation>[2];
const array = (method: Parameters<typeof kvOperation>[1], details: Details): HttpOperation =>
  kvOperation("Arrays", method, details);

export const arrayOperations: readonly HttpOperation[] = [
  array("append", {
    access: "write",
    summary: "Adds an element at the end; the new length.",
    parameters: pushing,
    result: count,
  }),
  array("prepend", {
    access: "write",
    summary: "Adds an element at the front; the new length.",
    parameters: pushing,
    result: count,
  }),
  array("pop", {
    access: "write",
    summary: "Removes the last element; null when there is no array.",
    parameters: [theKey, guard],
    result: orNull(value),
  }),
  array("popFirst", {
    access: "write",
    summary: "Removes the first element; null when there is no array.",
    parameters: [theKey, guard],
    result: orNull(value),
  }),
  array("popWait", {
    access: "write",
    summary: "`pop` that waits for an element; null when the time is up.",
    parameters: waiting,
    result: orNull(value),
    pace: "waits",
  }),
  array("popFirstWait", {
    access: "write",
    summary: "`pop_first` that waits for an element; null when the time is up.",
    parameters: waiting,
    result: orNull(value),
    pace: "waits",
  }),
  array("length", {
    access: "read",
    summary: "Number of elements; 0 when there is no array.",
    parameters: [theKey],
    result: count,
  }),
  array("range", {
    access: "read",
    summary: "Elements by position; negative positions count from the end.",
    parameters: [
      theKey,
      optionalArgument(argument("start", integer(), "the first position; default 0")),
      optionalArgument(argument("end", integer(), "the position behind the last; default: all")),
    ],
    result: listOf(value),
  }),
  array("deleteArray", {
    access: "write",
    summary: "Deletes an array; whether it was there.",
    parameters: [theKey, guard],
    result: boolean,
  }),
  array("listArrays", {
    access: "read",
    summary: "Names of arrays in key order.",
    parameters: [
      option("prefix", text, "only keys that begin with it"),
      option("limit", integer(undefined, listKeysMax), "how many; 0 or less: all"),
    ],
    result: keys,
  }),
];

const itemSchema: Schema = {
  oneOf: [
    { ...text, minLength: 1, description: `At most ${keyBytesMax} bytes of UTF-8.` },
    { ...object({ base64: { ...text, contentEncoding: "base64" } }), description: "Bytes." },
  ],
};
const theBucket = argument("bucket", bucket, "the name of the filter");
const item = argument("item", itemSchema, "the item", "item");
const itemTtl = option("ttl", ttl, "milliseconds until the item vanishes");

export const filterOperations: readonly HttpOperation[] = [
  filterOperation("contains", {
    access: "read",
    summary: "Whether the item is there.",
    parameters: [theBucket, item],
    result: boolean,
  }),
  filterOperation("add", {
    access: "write",
    summary: "Adds an item, or replaces its expiry; true when it was not there before.",
    parameters: [theBucket, item, itemTtl, guard],
    result: boolean,
  }),
  filterOperation("checkThenAdd", {
    access: "write",
    summary: "In one step: true when the item was there already, else false and now it is.",
    parameters: [theBucket, item, itemTtl, guard],
    result: boolean,
  }),
  filterOperation("delete", {
    access: "write",
    summary: "Removes an item; whether it was there.",
    parameters: [theBucket, item, guard],
    result: boolean,
  }),
  filterOperation("size", {
    access: "read",
    summary: "Number of items.",
    parameters: [theBucket],
    result: count,
  }),
  filterOperation("clear", {
    access: "write",
    summary: "Removes all items, in steps.",
    parameters: [theBucket, guard],
    result: yes,
  }),
];
