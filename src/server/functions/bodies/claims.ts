// Claims: exclusive leases on values, and allocation at random.

import type { Transaction, View } from "../../../engine/engine.js";
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
import type { KeyedValue } from "../stored-forms.js";
import { pageBytesMax } from "./queries.js";

/** Values are looked at when all of them have been taken, so that the client hears of all at once. */
const lookLater = (): void => {};

/** Tokens of another number of partitions are not those of this store. */
function requireStep(call: FunctionCall, index: number): void {
  if (call.text(index) !== "1") throw refusal("NOT_OPEN", "the store has one partition");
}

/** Milliseconds and owner; tokens are above the clock, as docs/formats/valkey.md says. */
function leaseIn(call: FunctionCall, index: number, { tokenBound }: FunctionHost): LeaseOptions {
  return { ...call.lease(index), tokenBound: tokenBound() };
}

function endOfLease(transaction: Transaction, { ttl }: LeaseOptions): string {
  return String(transaction.now + ttl);
}

/** What is chosen at random until a reply is full. */
interface Chosen<Item> {
  readonly state: "ok" | "more";
  readonly items: Item[];
}

/** `choose` takes one of those that are left, or none. */
function chooseAll<Item extends KeyedValue>(
  transaction: Transaction,
  request: { readonly prefix: string; readonly count: number },
  choose: () => Item | undefined,
): Chosen<Item> {
  const items: Item[] = [];
  for (let bytes = 0; items.length < request.count; ) {
    if (bytes >= pageBytesMax) {
      const { start, end } = transaction.free.prefixRange(request.prefix);
      return { state: start < end ? "more" : "ok", items };
    }
    const item = choose();
    if (item === undefined) break;
    items.push(item);
    bytes += item.value.length;
  }
  return { state: "ok", items };
}

// prefix, step, milliseconds, owner, trust, then a random number for each claim
const claimRandom: WriteRun = (transaction, call, host) => {
  requireStep(call, 1);
  const [prefix, numbers, trust] = [call.sought(0), call.randoms(5), call.text(4)];
  const lease = leaseIn(call, 2, host);
  const drawn = drawnTransaction(transaction, numbers);
  const one = { prefix, count: 1, check: lookLater, lease };
  const request = { prefix, count: numbers.length };
  const chosen = chooseAll(transaction, request, () => claims.claimRandom(drawn, one)[0]);
  call.forms.requireTrusted(chosen.items, trust);
  const reply: FunctionReply[] = [chosen.state, endOfLease(transaction, lease)];
  for (const { key, token, value } of chosen.items) {
    reply.push(key, String(token), call.forms.showLast(value));
  }
  return reply;
};

// prefix, trust, claim, then a random number for each
const popRandom: WriteRun = (transaction, call) => {
  const [prefix, numbers, trust] = [call.sought(0), call.randoms(3), call.text(1)];
  const drawn = drawnTransaction(transaction, numbers);
  const one = { prefix, count: 1, check: lookLater };
  // The guard is looked at even where nothing is asked for.
  claims.popRandom(drawn, { ...one, count: 0, options: call.guard(2) });
  const request = { prefix, count: numbers.length };
  const chosen = chooseAll(transaction, request, () => claims.popRandom(drawn, one)[0]);
  call.forms.requireTrusted(chosen.items, trust);
  const rows = chosen.items.flatMap(({ key, value }) => [key, call.forms.showLast(value)]);
  return [chosen.state, ...rows];
};

/** The first ones, until their values are as much as one reply has. */
function fittingKeys(view: View, keys: readonly string[]): readonly string[] {
  let bytes = 0;
  for (const [index, key] of keys.entries()) {
    bytes += view.values.get(key)?.value.length ?? 0;
    if (bytes >= pageBytesMax) return keys.slice(0, index + 1);
  }
  return keys;
}

// step, milliseconds, owner, trust, 1 for all or nothing, then keys
const claimKeys: WriteRun = (transaction, call, host) => {
  requireStep(call, 0);
  const [lease, asked, allOrNothing] = [leaseIn(call, 1, host), call.keys(5), call.flag(4)];
  const keys = allOrNothing ? asked : fittingKeys(transaction, asked);
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
