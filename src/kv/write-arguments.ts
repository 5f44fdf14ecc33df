// Write arguments: expiry, guards and claims as callers pass them.

import { InvalidOptionsError } from "../base/errors.js";
import { claimOwnerBytesMax, claimTtlMsDefault, claimTtlMsMax, ttlMsMax } from "../base/limits.js";
import type {
  ClaimRef,
  CreateOptions,
  Guard,
  LeaseOptions,
  ReplaceOptions,
} from "../operations/requests.js";
import {
  booleanField,
  checkBytes,
  countField,
  type Fields,
  fieldsOf,
  isInteger,
  refuse,
  textField,
} from "./arguments.js";

function checkClaimText(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string" || value === "") refuse(what, "a non-empty string", value);
}

/** A claim, or the three fields that identify one; a fresh object without any others. */
export function claimRef(claim: unknown, what = "claim"): ClaimRef {
  if (typeof claim !== "object" || claim === null) refuse(what, "a claim object", claim);
  const { id, key, token } = claim as Fields;
  checkClaimText(id, `${what}.id`);
  checkClaimText(key, `${what}.key`);
  if (!isInteger(token) || token < 1) {
    refuse(`${what}.token`, "an integer of at least 1", token);
  }
  return { id, key, token };
}

export function claimRefs(claims: unknown): ClaimRef[] {
  if (!Array.isArray(claims)) refuse("claims", "an array of claims", claims);
  return Array.from(claims, (claim, index) => claimRef(claim, `claims[${index}]`));
}

export function guardOptions(options: unknown): Guard | undefined {
  if (options === undefined) return undefined;
  const fields = fieldsOf(options);
  // Not as with other fields: null is what an empty pool gives, and must not make a guarded write
  // an unguarded one.
  return "claim" in fields ? { claim: claimRef(fields.claim, 'option "claim"') } : undefined;
}

export function createOptions(options: unknown): CreateOptions | undefined {
  if (options === undefined) return undefined;
  const ttl = countField(fieldsOf(options), "ttl", ttlMsMax);
  const guard = guardOptions(options);
  return ttl === undefined ? guard : { ...guard, ttl };
}

export function replaceOptions(options: unknown): ReplaceOptions | undefined {
  if (options === undefined) return undefined;
  const created = createOptions(options);
  if (!booleanField(fieldsOf(options), "keepTtl", false)) return created;
  if (created?.ttl !== undefined) {
    throw new InvalidOptionsError('options "ttl" and "keepTtl" exclude each other');
  }
  return { ...created, keepTtl: true };
}

export function leaseOptions(fields: Fields): LeaseOptions {
  const owner = textField(fields, "owner") ?? "";
  checkBytes(owner, 'option "owner"', claimOwnerBytesMax);
  return { owner, ttl: countField(fields, "ttl", claimTtlMsMax) ?? claimTtlMsDefault };
}
