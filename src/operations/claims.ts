// Claims: exclusive leases on values, fenced by tokens.
//
// Operations that allocate at random need `free` to be exact: run them on reaped tables.

import type { Transaction, View } from "../engine/engine.js";
import {
  type Claim,
  claimIn,
  endClaim,
  grant,
  type HeldClaim,
  isClaimed,
  isHeld,
  requireClaim,
} from "./claim-rows.js";
import { checkValue, dropValue, isLive } from "./live.js";
import { pageOf } from "./query.js";
import type {
  AllocateRequest,
  ClaimKeysRequest,
  ClaimRandomRequest,
  ClaimRef,
  CompleteRequest,
  Entry,
  PopRandomRequest,
  ReleaseRequest,
  RenewRequest,
  ScanRequest,
} from "./requests.js";

export interface ClaimedKeys {
  readonly claimed: Claim[];
  readonly busy: string[];
  readonly missing: string[];
}

/** A uniformly chosen free key of the prefix, or undefined. O(log n) at any occupancy. */
function chooseFree(view: View, prefix: string): string | undefined {
  const { start, end } = view.free.prefixRange(prefix);
  return start === end ? undefined : view.free.select(start + view.random.below(end - start));
}

function takeFree(
  transaction: Transaction,
  request: AllocateRequest,
  take: (entry: Entry) => void,
): void {
  for (let left = request.count; left > 0; left--) {
    const key = chooseFree(transaction, request.prefix);
    const row = key === undefined ? undefined : transaction.values.get(key);
    if (key === undefined || row === undefined) return;
    const value = row.value;
    checkValue(request, key, value);
    take({ key, value });
  }
}

export function claimRandom(transaction: Transaction, request: ClaimRandomRequest): Claim[] {
  const claims: Claim[] = [];
  takeFree(transaction, request, ({ key, value }) => {
    claims.push(grant(transaction, key, value, request.lease));
  });
  return claims;
}

export function popRandom(transaction: Transaction, request: PopRandomRequest): Entry[] {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const entries: Entry[] = [];
  takeFree(transaction, request, (entry) => {
    dropValue(transaction, entry.key);
    entries.push(entry);
  });
  return entries;
}

/** Why a key cannot be claimed now, or undefined when it can. */
function obstacle(view: View, key: string): "busy" | "missing" | undefined {
  const row = view.values.get(key);
  if (row === undefined || !isLive(view, row)) return "missing";
  return isClaimed(view, key) ? "busy" : undefined;
}

export function claimKeys(transaction: Transaction, request: ClaimKeysRequest): ClaimedKeys {
  const result: ClaimedKeys = { claimed: [], busy: [], missing: [] };
  const free: string[] = [];
  for (const key of request.keys) {
    const reason = obstacle(transaction, key);
    if (reason === undefined) free.push(key);
    else result[reason].push(key);
    if (reason !== undefined && request.allOrNothing) return result;
  }
  for (const key of free) {
    const value = transaction.values.get(key)?.value ?? "";
    checkValue(request, key, value);
    result.claimed.push(grant(transaction, key, value, request.lease));
  }
  return result;
}

/** Applies `change` to every live claim; one boolean per reference. */
function forEachHeld(
  transaction: Transaction,
  claims: readonly ClaimRef[],
  change: (key: string) => void,
): boolean[] {
  return claims.map((claim) => {
    const held = isHeld(transaction, claim);
    if (held) change(claim.key);
    return held;
  });
}

export function releaseClaims(transaction: Transaction, request: ReleaseRequest): boolean[] {
  return forEachHeld(transaction, request.claims, (key) => endClaim(transaction, key));
}

export function completeClaims(transaction: Transaction, request: CompleteRequest): boolean[] {
  return forEachHeld(transaction, request.claims, (key) => {
    if (request.deleteKey) dropValue(transaction, key);
    else endClaim(transaction, key);
  });
}

/** Moves the end of each lease to `ttl` from now; id and token stay. */
export function renewClaims(transaction: Transaction, request: RenewRequest): boolean[] {
  const deadline = transaction.now + request.ttl;
  return forEachHeld(transaction, request.claims, (key) => {
    transaction.claims.put(key, transaction.claims.get(key)?.value ?? "", deadline);
  });
}

/** Ends every claim, whoever holds it. O(n log n) in their number. */
export function dropClaims(transaction: Transaction): void {
  const { claims } = transaction;
  for (const key of claims.slice(0, claims.size)) endClaim(transaction, key);
}

export interface ClaimPage {
  readonly claims: HeldClaim[];
  /** Whether there is no further live claim of the prefix. */
  readonly done: boolean;
}

/** Live claims in key order. On reaped tables; O(log n) for each. */
export function listClaims(view: View, request: ScanRequest): ClaimPage {
  const { prefix, limit } = request;
  const claims: HeldClaim[] = [];
  // One more than asked for tells whether there is more.
  const sought = limit === 0 ? Infinity : limit + 1;
  for (let { after } = request, done = false; !done && claims.length < sought; ) {
    const rest = limit === 0 ? 0 : sought - claims.length;
    const page = pageOf(view.claims, { prefix, after, limit: rest });
    for (const key of page.keys) {
      const [row, value] = [view.claims.get(key), view.values.get(key)];
      if (row !== undefined && value !== undefined && isLive(view, value)) {
        claims.push(claimIn(key, row));
      }
    }
    done = page.done;
    after = page.keys.at(-1) ?? after;
  }
  const isAll = claims.length < sought;
  return { claims: isAll ? claims : claims.slice(0, limit), done: isAll };
}

export interface Allocation {
  readonly total: number;
  readonly claimedLive: number;
  readonly claimedExpired: number;
}

/** Counts values and claims of a prefix as they are now, without reaping anything. */
export function allocation(view: View, prefix: string): Allocation {
  let total = rangeSize(view.values.prefixRange(prefix));
  let claimed = view.claims.size === 0 ? 0 : rangeSize(view.claims.prefixRange(prefix));
  let claimedExpired = 0;
  view.forEachDue("values", (key) => {
    if (!key.startsWith(prefix)) return;
    total--;
    if (view.claims.has(key)) claimed--;
  });
  view.forEachDue("claims", (key) => {
    const value = key.startsWith(prefix) ? view.values.get(key) : undefined;
    if (value !== undefined && isLive(view, value)) claimedExpired++;
  });
  return { total, claimedLive: claimed - claimedExpired, claimedExpired };
}

function rangeSize(range: { start: number; end: number }): number {
  return range.end - range.start;
}
