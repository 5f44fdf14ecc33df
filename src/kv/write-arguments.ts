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
  isInteger,
  refuse,
  textField,
} from "./arguments.js";
import { namedFields, namesOf } from "./option-names.js";
import type {
  CounterOptions,
  CreateOptions as CreatingOptions,
  GuardOptions,
  WriteOptions,
} from "./types.js";

const guardNames = namesOf<GuardOptions>({ claim: true });
const counterNames = namesOf<CounterOptions>({ claim: true, ttl: true });
const createNames = namesOf<CreatingOptions>({ claim: true, ttl: true, compress: true });
const writeNames = namesOf<WriteOptions>({ claim: true, ttl: true, compress: true, keepTtl: true });

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
  return options === undefined ? undefined : guardOf(namedFields(options, guardNames));
}

/** The guard among options of any kind. */
export function guardOf(fields: Fields): Guard | undefined {
  // Not as with other fields: null is what an empty pool gives, and must not make a guarded write
  // an unguarded one.
  return "claim" in fields ? { claim: claimRef(fields.claim, 'option "claim"') } : undefined;
}

/** Of an operation that creates a key without a value of the caller's. */
export function counterOptions(options: unknown): CreateOptions | undefined {
  return options === undefined ? undefined : createOf(namedFields(options, counterNames));
}

export function createOptions(options: unknown): CreateOptions | undefined {
  return options === undefined ? undefined : createOf(namedFields(options, createNames));
}

export function replaceOptions(options: unknown): ReplaceOptions | undefined {
  return options === undefined ? undefined : replaceOf(namedFields(options, writeNames));
}

function createOf(fields: Fields): CreateOptions | undefined {
  const ttl = countField(fields, "ttl", ttlMsMax);
  const guard = guardOf(fields);
  return ttl === undefined ? guard : { ...guard, ttl };
}

/** How to replace, among options of any kind. */
export function replaceOf(fields: Fields): ReplaceOptions | undefined {
  const created = createOf(fields);
  if (!booleanField(fields, "keepTtl", false)) return created;
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
