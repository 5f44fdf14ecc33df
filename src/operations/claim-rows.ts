// Claim rows: how a lease lies in the tables.
//
//   claims  key -> "<token> <owner>", deadline: the end of the lease
//
// Invariants
// 1. Tokens rise with every claim that is granted and are never used again: they fence.
// 2. A claim is live while its deadline is ahead and its value is live. Everything else is stale,
//    and a stale reference changes nothing.
// 3. A key with a claim is not in `free`, until the claim is released, completed or reaped.

import { StaleClaimError } from "../base/errors.js";
import type { Row, Transaction, View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { nextCount } from "./counters.js";
import { isLive } from "./live.js";
import type { ClaimRef, LeaseOptions } from "./requests.js";

export interface HeldClaim extends ClaimRef {
  /** Unix milliseconds. */
  readonly expiresAt: number;
  /** "" when the claimant gave none. */
  readonly owner: string;
}

export interface Claim extends HeldClaim {
  readonly value: Stored;
}

function claimId(token: number): string {
  return `claim-${token}`;
}

function parseToken(value: Stored): number {
  const text = value as string;
  return Number(text.slice(0, text.indexOf(" ")));
}

/** What a row of the table says of its claim. */
export function claimIn(key: string, { value, deadline }: Row): HeldClaim {
  const token = parseToken(value);
  const owner = (value as string).slice((value as string).indexOf(" ") + 1);
  return { id: claimId(token), key, token, expiresAt: deadline, owner };
}

/** Whether a live claim keeps others away from the key. */
export function isClaimed(view: View, key: string): boolean {
  if (view.claims.size === 0) return false;
  const row = view.claims.get(key);
  return row !== undefined && isLive(view, row);
}

/** Whether the reference names the claim that holds its key now. */
export function isHeld(view: View, claim: ClaimRef): boolean {
  const row = view.claims.get(claim.key);
  if (row === undefined || !isLive(view, row)) return false;
  const token = parseToken(row.value);
  if (token !== claim.token || claimId(token) !== claim.id) return false;
  const value = view.values.get(claim.key);
  return value !== undefined && isLive(view, value);
}

/** Throws `StaleClaimError` unless the claim is live: the fence of guarded writes. */
export function requireClaim(view: View, claim: ClaimRef): void {
  if (isHeld(view, claim)) return;
  throw new StaleClaimError(
    `the claim with token ${claim.token} is no longer live: nothing was written`,
    { key: claim.key, hint: "claim the key again; another holder may have taken over" },
  );
}

/** Grants a claim on a live value that nobody else holds. */
export function grant(
  transaction: Transaction,
  key: string,
  value: Stored,
  lease: LeaseOptions,
): Claim {
  const token = nextCount(transaction, "token", lease.tokenBound);
  const expiresAt = transaction.now + lease.ttl;
  transaction.claims.put(key, `${token} ${lease.owner}`, expiresAt);
  transaction.free.delete(key);
  return { id: claimId(token), key, token, expiresAt, owner: lease.owner, value };
}

/** Ends a claim and makes its key free. The value must be there. */
export function endClaim(transaction: Transaction, key: string): void {
  transaction.claims.delete(key);
  transaction.free.add(key);
}
