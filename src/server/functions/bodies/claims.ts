// Claims: exclusive leases on values, and allocation at random.

import type { Transaction } from "../../../engine/engine.js";
import { type Claim, endClaim } from "../../../operations/claim-rows.js";
import * as claims from "../../../operations/claims.js";
import type { LeaseOptions } from "../../../operations/requests.js";
import {
  allocate,
  type FunctionBodies,
  flag,
  query,
  type ReadRun,
  type WriteRun,
  write,
} from "../body.js";
import { drawnTransaction } from "../drawn-random.js";
import type { FunctionCall } from "../function-call.js";
import type { FunctionHost } from "../function-host.js";
import type { FunctionReply } from "../function-reply.js";
import { refusal } from "../refusals.js";

/** Values are looked at when all of them have been taken, so that the client hears of all at once. */
const lookLater = (): void => {};

/**
 * Where all data have been lost since clients opened the store, tokens would begin again: whoever
 * opens it anew gives it tokens that were never granted. `step` is the position of the step of tokens.
 */
function requireOpen(
  transaction: Transaction,
  call: FunctionCall,
  step: number,
  host: FunctionHost,
): void {
  const isOpen = host.isOpen || transaction.counters.has("token");
  if (!isOpen || call.text(step) !== "1") throw refusal("NOT_OPEN", "the store was lost");
}

function endOfLease(transaction: Transaction, { ttl }: LeaseOptions): string {
  return String(transaction.now + ttl);
}

// prefix, step, milliseconds, owner, trust, then a random number for each claim
const claimRandom: WriteRun = (transaction, call, host) => {
  requireOpen(transaction, call, 1, host);
  const numbers = call.randoms(5);
  const lease = call.lease(2);
  const granted = claims.claimRandom(drawnTransaction(transaction, numbers), {
    prefix: call.sought(0),
    count: numbers.length,
    check: lookLater,
    lease,
  });
  call.forms.requireTrusted(granted, call.text(4));
  const reply: FunctionReply[] = ["ok", endOfLease(transaction, lease)];
  for (const { key, token, value } of granted) {
    reply.push(key, String(token), call.forms.showLast(value));
  }
  return reply;
};

// prefix, trust, claim, then a random number for each
const popRandom: WriteRun = (transaction, call) => {
  const numbers = call.randoms(3);
  const popped = claims.popRandom(drawnTransaction(transaction, numbers), {
    prefix: call.sought(0),
    count: numbers.length,
    check: lookLater,
    options: call.guard(2),
  });
  call.forms.requireTrusted(popped, call.text(1));
  return ["ok", ...popped.flatMap(({ key, value }) => [key, call.forms.showLast(value)])];
};

// step, milliseconds, owner, trust, 1 for all or nothing, then keys
const claimKeys: WriteRun = (transaction, call, host) => {
  requireOpen(transaction, call, 0, host);
  const [lease, keys, allOrNothing] = [call.lease(1), call.keys(5), call.flag(4)];
  const request = { keys, allOrNothing, lease, check: lookLater };
  const { claimed, busy, missing } = claims.claimKeys(transaction, request);
  const [blocked] = [...busy, ...missing];
  if (allOrNothing && blocked !== undefined) {
    return ["blocked", keys.indexOf(blocked), busy.length > 0 ? "busy" : "missing"];
  }
  call.forms.requireTrusted(claimed, call.text(3));
  const states = statesOf(call, keys, claimed, new Set(busy));
  return ["ok", endOfLease(transaction, lease), ...states];
};

/** State, token and value of each key; the claims stand in the order of their keys. */
function statesOf(
  call: FunctionCall,
  keys: readonly string[],
  claimed: readonly Claim[],
  busy: ReadonlySet<string>,
): FunctionReply[] {
  let next = 0;
  return keys.flatMap((key): FunctionReply[] => {
    const claim = claimed[next];
    if (claim?.key !== key) return [busy.has(key) ? "busy" : "missing", "0", ""];
    next++;
    return ["claimed", String(claim.token), call.forms.showLast(claim.value)];
  });
}

// Ends up to `limit` claims; how many are left.
const dropClaims: WriteRun = (transaction, call) => {
  for (const key of transaction.claims.slice(0, call.limit(0))) endClaim(transaction, key);
  return transaction.claims.size;
};

/** As many as the library lists at once. */
const listedClaimsMax = 100;

// prefix, after, limit; key, token, owner and end of the lease in turn
const listClaims: ReadRun = (view, call) => {
  const asked = call.limit(2);
  const limit = Math.min(Math.max(1, asked), listedClaimsMax);
  const request = { prefix: call.sought(0), after: call.sought(1), limit };
  const { claims: found, done } = claims.listClaims(view, request);
  if (asked === 0) return [flag(found.length === 0)];
  const rows = found.flatMap(({ key, token, owner, expiresAt }): FunctionReply[] => {
    return [key, String(token), owner, String(expiresAt)];
  });
  return [flag(done), ...rows];
};

export const claimBodies: FunctionBodies = {
  claim_random: allocate(claimRandom),
  pop_random: allocate(popRandom),
  claim_keys: write(claimKeys),

  // key and token in turn
  release_claims: write((transaction, call) => {
    const refs = call.groups(0, 2, (index) => call.claim(index));
    return claims.releaseClaims(transaction, { claims: refs }).map(flag);
  }),

  // 1 to delete the keys, then key and token in turn
  complete_claims: write((transaction, call) => {
    const refs = call.groups(1, 2, (index) => call.claim(index));
    return claims.completeClaims(transaction, { claims: refs, deleteKey: call.flag(0) }).map(flag);
  }),

  // milliseconds, then key and token in turn
  renew_claims: write((transaction, call) => {
    const refs = call.groups(1, 2, (index) => call.claim(index));
    return claims.renewClaims(transaction, { claims: refs, ttl: call.milliseconds(0) }).map(flag);
  }),

  drop_claims: write(dropClaims),
  list_claims: query(listClaims),
};
