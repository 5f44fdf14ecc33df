// Remote claims: exclusive leases on values, and allocation at random.
//
// Over several partitions, and beyond the bound of one call, allocation takes several calls. What
// has been claimed when a later one fails is released again; what has been popped is given.

import { UnexpectedStoreOutputError } from "../base/errors.js";
import type { Claim, HeldClaim } from "../operations/claim-rows.js";
import type { ClaimedKeys, ClaimPage } from "../operations/claims.js";
import type * as Request from "../operations/requests.js";
import { type Calls, settleAll, stepKeysMax, tokenOf } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import { mergedPage, type Page } from "./merge.js";
import { countsOf } from "./remote-queries.js";
import { checkBatch, chunksOf } from "./remote-values.js";
import { flagIn, listIn, numberIn, storedIn, textIn } from "./replies.js";
import { Shares } from "./shares.js";

/** What one call has allocated; `Taken` is a claim or an entry. */
interface Allocated<Taken> {
  readonly taken: Taken[];
  /** Whether there are fewer than asked for because their values are large. */
  readonly isPart: boolean;
}

type Allocate<Taken> = (partition: number, count: number) => Promise<Allocated<Taken>>;

const nothing = { taken: [], isPart: false };

/** Takes up to `count`, from every partition by its share of what is free. */
async function allocate<Taken>(
  calls: Calls,
  { prefix, count }: Request.AllocateRequest,
  take: Allocate<Taken>,
  giveUp: (taken: Taken[], error: unknown) => Promise<void>,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  if (calls.partitions === 1 && count <= stepKeysMax) {
    const first = await take(0, count);
    if (!first.isPart) return first.taken;
    taken.push(...first.taken);
  }
  while (taken.length < count) {
    const shares = new Shares(await countsOf(calls, "count_free", prefix));
    const wanted = Math.min(count - taken.length, stepKeysMax);
    const draws = shares.draw(calls.env.random, wanted, true);
    if (draws.length === 0) break;
    const parts = shares
      .sizesOf(draws)
      .map((size, partition) => (size === 0 ? nothing : take(partition, size)));
    const outcomes = await Promise.allSettled(parts);
    const found = outcomes.map((each) => (each.status === "fulfilled" ? each.value.taken : []));
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
    const [status, expiresAt, ...rows] = listIn(reply);
    const claims: Claim[] = [];
    for (let index = 0; index < rows.length; index += 3) {
      const [key, token, value] = rows.slice(index, index + 3);
      claims.push(claimOf(textIn(key), token, expiresAt, lease.owner, value));
    }
    return { taken: claims, isPart: textIn(status) === "more" };
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
    const [status, ...rows] = listIn(reply);
    const entries: Request.Entry[] = [];
    for (let index = 0; index < rows.length; index += 2) {
      entries.push({ key: textIn(rows[index]), value: storedIn(rows[index + 1]) });
    }
    return { taken: entries, isPart: textIn(status) === "more" };
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

/** In one call, or in several when values are large and not all have to be claimed. */
async function claimGroup(
  calls: Calls,
  request: Request.ClaimKeysRequest,
  { partition, items, places }: { partition: number; items: string[]; places: number[] },
): Promise<GroupOutcome> {
  const states: GroupOutcome["states"] = [];
  try {
    while (states.length < items.length) {
      const part = { partition, items: items.slice(states.length) };
      const next = await claimPart(calls, request, part, places.slice(states.length));
      if (next.blocked !== undefined) return next;
      states.push(...next.states);
    }
  } catch (error) {
    await releaseClaims(calls, { claims: states.flatMap(({ claim }) => claim ?? []) });
    throw error;
  }
  return { states, blocked: undefined };
}

async function claimPart(
  calls: Calls,
  { lease, check, allOrNothing }: Request.ClaimKeysRequest,
  { partition, items }: { partition: number; items: readonly string[] },
  places: readonly number[],
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
  if (rows.length === 0) throw new UnexpectedStoreOutputError("the server answers for no key");
  const states = items.slice(0, rows.length / 3).map((key, index) => {
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
      chunksOf(items, stepKeysMax).map(async (some, index) => {
        const args = [...head, ...some.flatMap((claim) => [claim.key, tokenOf(claim)])];
        const replies = listIn(await calls.call(operation, partition, args));
        for (const [offset, reply] of replies.entries()) {
          held[places[index * stepKeysMax + offset] as number] = numberIn(reply) === 1;
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

/** Live claims in key order, in steps. */
export async function listClaims(calls: Calls, request: Request.ScanRequest): Promise<ClaimPage> {
  const fetch = async (
    partition: number,
    after: string,
    limit: number,
  ): Promise<Page<HeldClaim>> => {
    const args = [request.prefix, after, limit];
    const [done, ...fields] = listIn(await calls.ranked("list_claims", partition, args));
    const rows: HeldClaim[] = [];
    for (let index = 0; index < fields.length; index += 4) {
      const [key, token, owner, expiresAt] = fields.slice(index, index + 4);
      const number = numberIn(token);
      const held = { id: `claim-${number}`, key: textIn(key), token: number };
      rows.push({ ...held, expiresAt: numberIn(expiresAt), owner: textIn(owner) });
    }
    return { rows, done: flagIn(done) };
  };
  const { rows, done } = await mergedPage(calls.partitions, request, fetch, ({ key }) => key);
  return { claims: rows, done };
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
