// Remote claims: exclusive leases on values, and allocation at random.
//
// Over several partitions, and beyond the bound of one call, allocation takes several calls. What
// has been claimed when a later one fails is released again; what has been popped is given.

import type { Claim } from "../operations/claim-rows.js";
import type { ClaimedKeys } from "../operations/claims.js";
import type * as Request from "../operations/requests.js";
import { batchKeysMax, type Calls, settleAll, tokenOf } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import { countsOf } from "./remote-queries.js";
import { checkBatch, chunksOf } from "./remote-values.js";
import { listIn, numberIn, storedIn, textIn } from "./replies.js";
import { Shares } from "./shares.js";

/** What one call has allocated; `Taken` is a claim or an entry. */
type Allocate<Taken> = (partition: number, count: number) => Promise<Taken[]>;

/** Takes up to `count`, from every partition by its share of what is free. */
async function allocate<Taken>(
  calls: Calls,
  { prefix, count }: Request.AllocateRequest,
  take: Allocate<Taken>,
  giveUp: (taken: Taken[], error: unknown) => Promise<void>,
): Promise<Taken[]> {
  if (calls.partitions === 1 && count <= batchKeysMax) return take(0, count);
  const taken: Taken[] = [];
  while (taken.length < count) {
    const shares = new Shares(await countsOf(calls, "count_free", prefix));
    const wanted = Math.min(count - taken.length, batchKeysMax);
    const draws = shares.draw(calls.env.random, wanted, true);
    if (draws.length === 0) break;
    const parts = shares
      .sizesOf(draws)
      .map((size, partition) => (size === 0 ? Promise.resolve([]) : take(partition, size)));
    const outcomes = await Promise.allSettled(parts);
    const found = outcomes.map((each) => (each.status === "fulfilled" ? each.value : []));
    taken.push(...draws.flatMap((partition) => found[partition]?.shift() ?? []));
    const failed = outcomes.find((each) => each.status === "rejected");
    if (failed === undefined) continue;
    await giveUp(taken, failed.reason);
    return taken;
  }
  return taken;
}

export function claimRandom(calls: Calls, request: Request.ClaimRandomRequest): Promise<Claim[]> {
  const { prefix, lease, check } = request;
  const take: Allocate<Claim> = async (partition, count) => {
    const randoms = calls.randoms(count);
    const argsWith = (trust: string): Argument[] => [
      ...[prefix, calls.partitions, lease.ttl, lease.owner, trust],
      ...randoms,
    ];
    const reply = await calls.checked("claim_random", partition, argsWith, check);
    const [, expiresAt, ...rows] = listIn(reply);
    const claims: Claim[] = [];
    for (let index = 0; index < rows.length; index += 3) {
      const [key, token, value] = rows.slice(index, index + 3);
      claims.push(claimOf(textIn(key), token, expiresAt, lease.owner, value));
    }
    return claims;
  };
  return allocate(calls, request, take, async (claims, error) => {
    await releaseClaims(calls, { claims });
    throw error;
  });
}

function claimOf(
  key: string,
  token: Reply | undefined,
  expiresAt: Reply | undefined,
  owner: string,
  value: Reply | undefined,
): Claim {
  const number = numberIn(token);
  return {
    id: `claim-${number}`,
    key,
    token: number,
    expiresAt: numberIn(expiresAt),
    owner,
    value: storedIn(value),
  };
}

export function popRandom(
  calls: Calls,
  request: Request.PopRandomRequest,
): Promise<Request.Entry[]> {
  const { prefix, check, options } = request;
  const claim = calls.guardAll(options);
  const take: Allocate<Request.Entry> = async (partition, count) => {
    const randoms = calls.randoms(count);
    const argsWith = (trust: string): Argument[] => [prefix, trust, claim, ...randoms];
    const subject = { claim: options?.claim };
    const reply = await calls.checked("pop_random", partition, argsWith, check, subject);
    const [, ...rows] = listIn(reply);
    const entries: Request.Entry[] = [];
    for (let index = 0; index < rows.length; index += 2) {
      entries.push({ key: textIn(rows[index]), value: storedIn(rows[index + 1]) });
    }
    return entries;
  };
  return allocate(calls, request, take, async (entries, error) => {
    // They are gone from the store: they must not be lost with an error.
    if (entries.length === 0) throw error;
  });
}

/** What became of each key of a group, or where it was blocked. */
interface GroupOutcome {
  readonly states: { place: number; state: string; claim: Claim | undefined }[];
  readonly blocked: { place: number; state: string } | undefined;
}

export async function claimKeys(
  calls: Calls,
  request: Request.ClaimKeysRequest,
): Promise<ClaimedKeys> {
  const { keys, allOrNothing } = request;
  checkBatch(keys.length);
  const groups = calls.grouped(keys, (key) => key);
  const outcomes = await Promise.allSettled(
    groups.map((group) => claimGroup(calls, request, group)),
  );
  const done = outcomes.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const states = done.flatMap((each) => each.states).sort((a, b) => a.place - b.place);
  const claimed = states.flatMap(({ claim }) => claim ?? []);
  const failed = outcomes.find((each) => each.status === "rejected");
  const blocks = done.flatMap(({ blocked }) => blocked ?? []).sort((a, b) => a.place - b.place);
  const [first] = blocks;
  if (failed !== undefined || (allOrNothing && first !== undefined)) {
    await releaseClaims(calls, { claims: claimed });
  }
  if (failed !== undefined) throw failed.reason;
  const keysIn = (state: string): string[] => {
    const found = first === undefined ? states : [first];
    return found.filter((each) => each.state === state).map(({ place }) => keys[place] as string);
  };
  return {
    claimed: first === undefined ? claimed : [],
    busy: keysIn("busy"),
    missing: keysIn("missing"),
  };
}

async function claimGroup(
  calls: Calls,
  { lease, check, allOrNothing }: Request.ClaimKeysRequest,
  { partition, items, places }: { partition: number; items: string[]; places: number[] },
): Promise<GroupOutcome> {
  const argsWith = (trust: string): Argument[] => [
    ...[calls.partitions, lease.ttl, lease.owner, trust, allOrNothing ? 1 : 0],
    ...items,
  ];
  const reply = listIn(await calls.checked("claim_keys", partition, argsWith, check));
  const [status, second, ...rows] = reply;
  if (textIn(status) === "blocked") {
    const place = places[numberIn(second)] as number;
    return { states: [], blocked: { place, state: textIn(rows[0]) } };
  }
  const states = items.map((key, index) => {
    const [state, token, value] = rows.slice(3 * index, 3 * index + 3);
    const isClaimed = textIn(state) === "claimed";
    const claim = isClaimed ? claimOf(key, token, second, lease.owner, value) : undefined;
    return { place: places[index] as number, state: textIn(state), claim };
  });
  return { states, blocked: undefined };
}

/** Asks each partition about its claims; one boolean per claim. */
async function eachClaim(
  calls: Calls,
  claims: readonly Request.ClaimRef[],
  operation: "release_claims" | "complete_claims" | "renew_claims",
  head: readonly Argument[],
): Promise<boolean[]> {
  const held = new Array<boolean>(claims.length).fill(false);
  const parts = calls
    .grouped(claims, ({ key }) => key)
    .flatMap(({ partition, items, places }) =>
      chunksOf(items).map(async (some, index) => {
        const args = [...head, ...some.flatMap((claim) => [claim.key, tokenOf(claim)])];
        const replies = listIn(await calls.call(operation, partition, args));
        for (const [offset, reply] of replies.entries()) {
          held[places[index * batchKeysMax + offset] as number] = numberIn(reply) === 1;
        }
      }),
    );
  await settleAll(parts);
  return held;
}

export function releaseClaims(
  calls: Calls,
  { claims }: Request.ReleaseRequest,
): Promise<boolean[]> {
  return eachClaim(calls, claims, "release_claims", []);
}

export function completeClaims(
  calls: Calls,
  { claims, deleteKey }: Request.CompleteRequest,
): Promise<boolean[]> {
  return eachClaim(calls, claims, "complete_claims", [deleteKey ? 1 : 0]);
}

export function renewClaims(
  calls: Calls,
  { claims, ttl }: Request.RenewRequest,
): Promise<boolean[]> {
  return eachClaim(calls, claims, "renew_claims", [ttl]);
}

/** Claims ended by one call. */
const droppedClaimsMax = 1_000;

/** In steps: claims that are granted meanwhile may end, too. */
export async function dropClaims(calls: Calls): Promise<void> {
  const partitions = Array.from({ length: calls.partitions }, async (_, partition) => {
    let left = 1;
    while (left > 0) {
      left = numberIn(await calls.call("drop_claims", partition, [droppedClaimsMax]));
    }
  });
  await settleAll(partitions);
}
