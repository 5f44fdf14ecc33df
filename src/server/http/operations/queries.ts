// Queries in key order, random keys, and claims.

import { listKeysMax, randomKeysMax, scanPageKeysMax } from "../../../base/limits.js";
import {
  argument,
  guard,
  type HttpOperation,
  kvOperation,
  option,
  type Parameter,
  requiredOption,
} from "../operation.js";
import {
  boolean,
  claim,
  claimRef,
  count,
  entry,
  integer,
  key,
  keys,
  lease,
  listOf,
  object,
  orNull,
  owner,
  type Schema,
  text,
} from "../schema.js";

type Method = Parameters<typeof kvOperation>[1];
type Details = Parameters<typeof kvOperation>[2];
const query = (method: Method, details: Omit<Details, "access">): HttpOperation =>
  kvOperation("Queries", method, { access: "read", ...details });
const claiming = (method: Method, details: Omit<Details, "access">): HttpOperation =>
  kvOperation("Claims", method, { access: "write", ...details });

const prefix = option("prefix", text, "only keys that begin with it");
const paging = [
  prefix,
  option("limit", integer(undefined, scanPageKeysMax), "how many on a page; 0 or less: all"),
  option("cursor", text, "the cursor of the page before"),
];
const listing = [
  prefix,
  option("limit", integer(undefined, listKeysMax), "how many; 0 or less: all"),
];
const counted = requiredOption("count", integer(1, randomKeysMax), "how many");
const page = { cursor: { ...text, description: '"" on the last page' }, done: boolean };

export const queryOperations: readonly HttpOperation[] = [
  query("scan", {
    summary: "One page of entries in key order.",
    parameters: paging,
    result: object({ entries: listOf(entry), ...page }),
  }),
  query("scanKeys", {
    summary: "`scan` without values.",
    parameters: paging,
    result: object({ keys, ...page }),
  }),
  query("list", {
    summary: "Entries in key order, all at once; for many `GET /v1/scan.ndjson` is better.",
    parameters: listing,
    result: listOf(entry),
  }),
  query("listKeys", { summary: "Keys in order.", parameters: listing, result: keys }),
  query("size", { summary: "Number of values.", result: count }),
  query("count", {
    summary: "Number of values whose key begins with the prefix.",
    parameters: [prefix],
    result: count,
  }),
  query("randomKey", {
    summary: 'A uniformly chosen key of the prefix, or "" when there is none.',
    parameters: [prefix],
    result: text,
  }),
  query("randomKeys", {
    summary: "Uniformly chosen keys in random order, as many as there are.",
    parameters: [
      prefix,
      counted,
      option("unique", { ...boolean, default: true }, "no key twice; false: exactly `count`"),
    ],
    result: keys,
  }),
];

const leasing = [
  option("owner", owner, "a note for people"),
  option("ttl", { ...lease, default: 30_000 }, "length of the lease in milliseconds"),
];
const theClaim = argument("claim", claimRef, "the claim, or what identifies it");
const theClaims = argument("claims", listOf(claimRef), "the claims");
const deleteKey = option("deleteKey", { ...boolean, default: true }, "delete the key as well");
const newTtl: Parameter = requiredOption("ttl", lease, "length of the lease from now");

const updated = (name: string): Schema =>
  object({
    attempted: count,
    [name]: count,
    failed: listOf(
      object({
        index: count,
        id: text,
        key: text,
        name: { const: "ClaimNotUpdated" },
        message: text,
      }),
    ),
  });

export const claimOperations: readonly HttpOperation[] = [
  claiming("claimRandom", {
    summary: "Claims one free key of the prefix, uniformly chosen; null when there is none.",
    parameters: [prefix, ...leasing],
    result: orNull(claim),
  }),
  claiming("claimRandomMany", {
    summary: "Claims up to `count` free keys.",
    parameters: [prefix, counted, ...leasing],
    result: listOf(claim),
  }),
  claiming("claimKey", {
    summary: "Claims a key; null when it is missing or claimed.",
    parameters: [argument("key", key, "the key"), ...leasing],
    result: orNull(claim),
  }),
  claiming("claimKeys", {
    summary: "Claims the keys that can be had.",
    parameters: [
      argument("keys", keys, "the keys"),
      ...leasing,
      option("allOrNothing", boolean, "claim all keys or none"),
    ],
    result: object({ claimed: listOf(claim), busy: keys, missing: keys }),
  }),
  claiming("popRandom", {
    summary: "Removes one free entry of the prefix, uniformly chosen; null when there is none.",
    parameters: [prefix, guard],
    result: orNull(entry),
  }),
  claiming("popRandomMany", {
    summary: "Removes up to `count` free entries.",
    parameters: [prefix, counted, guard],
    result: listOf(entry),
  }),
  claiming("releaseClaim", {
    summary: "Frees the key at once; false when the claim is stale.",
    parameters: [theClaim],
    result: boolean,
  }),
  claiming("completeClaim", {
    summary: "Ends the claim and deletes its key; false when it is stale.",
    parameters: [theClaim, deleteKey],
    result: boolean,
  }),
  claiming("renewClaim", {
    summary: "Moves the end of the lease to `ttl` from now; false when the claim is stale.",
    parameters: [theClaim, newTtl],
    result: boolean,
  }),
  claiming("releaseClaims", {
    summary: "`release_claim` for many; stale ones are listed in `failed`.",
    parameters: [theClaims],
    result: updated("released"),
  }),
  claiming("completeClaims", {
    summary: "`complete_claim` for many; stale ones are listed in `failed`.",
    parameters: [theClaims, deleteKey],
    result: updated("completed"),
  }),
  claiming("renewClaims", {
    summary: "`renew_claim` for many; stale ones are listed in `failed`.",
    parameters: [theClaims, newTtl],
    result: updated("renewed"),
  }),
  kvOperation("Claims", "listClaims", {
    access: "read",
    summary: "One page of live claims in key order, without the values.",
    parameters: paging,
    result: object({
      claims: listOf(
        object({ id: text, key: text, token: integer(1), expiresAt: count, "owner?": text }),
      ),
      ...page,
    }),
  }),
];
