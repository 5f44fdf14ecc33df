// Claims: exclusive leases with fencing tokens, and one-time allocation.
//
// A claim is live until `expiresAt`. Release, complete and renew succeed only for the claim that
// holds the key now; anything else is stale and answers false without disturbing a newer claim.

import { InvalidOptionsError } from "../base/errors.js";
import { claimTtlMsMax, randomKeysMax } from "../base/limits.js";
import type { Claim as StoredClaim } from "../operations/claim-rows.js";
import type { Guard } from "../operations/requests.js";
import { booleanField, checkKey, checkKeys, prefixField, requiredCountField } from "./arguments.js";
import { encodeCursor } from "./cursor.js";
import { decodeValue } from "./encode-value.js";
import { namesOf, tolerantFields } from "./option-names.js";
import { QueryMethods, scanRequest } from "./queries.js";
import type { KeyOf, UntypedKey, ValueOf } from "./schema.js";
import type {
  Claim,
  ClaimedKeys,
  ClaimKeysOptions,
  ClaimPage,
  ClaimRandomManyOptions,
  ClaimRandomOptions,
  ClaimRef,
  CompletedClaims,
  CompleteOptions,
  CountedOptions,
  Entry,
  FailedClaim,
  GuardOptions,
  LeaseOptions,
  PrefixOptions,
  ReleasedClaims,
  RenewedClaims,
  RenewOptions,
  ScanOptions,
} from "./types.js";
import { claimRef, claimRefs, guardOf, leaseOptions } from "./write-arguments.js";

const leaseNames = namesOf<LeaseOptions>({ owner: true, ttl: true });
const claimKeysNames = namesOf<ClaimKeysOptions>({ owner: true, ttl: true, allOrNothing: true });
const claimRandomNames = namesOf<ClaimRandomOptions>({ prefix: true, owner: true, ttl: true });
const claimRandomManyNames = namesOf<ClaimRandomManyOptions>({
  prefix: true,
  count: true,
  owner: true,
  ttl: true,
});
const popRandomNames = namesOf<PrefixOptions & GuardOptions>({ prefix: true, claim: true });
const popRandomManyNames = namesOf<CountedOptions & GuardOptions>({
  prefix: true,
  count: true,
  claim: true,
});
const completeNames = namesOf<CompleteOptions>({ deleteKey: true });
const renewNames = namesOf<RenewOptions>({ ttl: true });

export abstract class ClaimMethods<Schema> extends QueryMethods<Schema> {
  /** Claims one free key of the prefix, uniformly chosen, or resolves to null. O(log n). */
  async claimRandom<Value = ValueOf<Schema>>(
    options?: ClaimRandomOptions,
  ): Promise<Claim<Value, KeyOf<Schema>> | null> {
    const fields = tolerantFields(options, claimRandomNames, "claimRandom");
    const [claim] = await this.#claimRandom<Value>(prefixField(fields), 1, leaseOptions(fields));
    return claim ?? null;
  }

  /** Claims up to `count` free keys; all of them or, on an error, none. */
  async claimRandomMany<Value = ValueOf<Schema>>(
    options: ClaimRandomManyOptions,
  ): Promise<Claim<Value, KeyOf<Schema>>[]> {
    const fields = tolerantFields(options, claimRandomManyNames, "claimRandomMany");
    const count = requiredCountField(fields, "count", randomKeysMax);
    return this.#claimRandom<Value>(prefixField(fields), count, leaseOptions(fields));
  }

  /** Claims a key, or resolves to null when it is missing or claimed by someone else. */
  claimKey<Key extends KeyOf<Schema>>(
    key: Key,
    options?: LeaseOptions,
  ): Promise<Claim<ValueOf<Schema, Key>, Key> | null>;
  claimKey<Value>(key: UntypedKey<Schema>, options?: LeaseOptions): Promise<Claim<Value> | null>;
  async claimKey(key: string, options?: LeaseOptions): Promise<Claim | null> {
    checkKey(key);
    const lease = leaseOptions(tolerantFields(options, leaseNames, "claimKey"));
    const { check } = this.format;
    const store = this.ready ?? (await this.opened());
    const result = await store.claimKeys({ keys: [key], lease, allOrNothing: false, check });
    const claim = result.claimed[0];
    return claim === undefined ? null : this.#claim(claim);
  }

  /** Claims several keys; with `allOrNothing` it stops at the first that cannot be claimed. */
  async claimKeys<Value = ValueOf<Schema>>(
    keys: readonly KeyOf<Schema>[],
    options?: ClaimKeysOptions,
  ): Promise<ClaimedKeys<Value, KeyOf<Schema>>> {
    checkKeys(keys);
    if (new Set(keys).size < keys.length) throw new InvalidOptionsError("keys must be distinct");
    const fields = tolerantFields(options, claimKeysNames, "claimKeys");
    const request = {
      keys: [...keys],
      lease: leaseOptions(fields),
      allOrNothing: booleanField(fields, "allOrNothing", false),
      check: this.format.check,
    };
    const store = this.ready ?? (await this.opened());
    const { claimed, busy, missing } = await store.claimKeys(request);
    return {
      claimed: claimed.map((claim) => this.#claim<Value>(claim)),
      busy: busy as KeyOf<Schema>[],
      missing: missing as KeyOf<Schema>[],
    };
  }

  /** Removes one free entry of the prefix, uniformly chosen, or resolves to null. */
  async popRandom<Value = ValueOf<Schema>>(
    options?: PrefixOptions & GuardOptions,
  ): Promise<Entry<Value, KeyOf<Schema>> | null> {
    const fields = tolerantFields(options, popRandomNames, "popRandom");
    const [entry] = await this.#popRandom<Value>(prefixField(fields), 1, guardOf(fields));
    return entry ?? null;
  }

  /** Removes up to `count` free entries; all of them or, on an error, none. */
  async popRandomMany<Value = ValueOf<Schema>>(
    options: CountedOptions & GuardOptions,
  ): Promise<Entry<Value, KeyOf<Schema>>[]> {
    const fields = tolerantFields(options, popRandomManyNames, "popRandomMany");
    const count = requiredCountField(fields, "count", randomKeysMax);
    return this.#popRandom<Value>(prefixField(fields), count, guardOf(fields));
  }

  /** Frees the key at once; false when the claim is stale. */
  async releaseClaim(claim: ClaimRef): Promise<boolean> {
    const claims = [claimRef(claim)];
    const store = this.ready ?? (await this.opened());
    return (await store.releaseClaims({ claims }))[0] === true;
  }

  /** Ends the claim and deletes its key, unless `deleteKey: false`; false when it is stale. */
  async completeClaim(claim: ClaimRef, options?: CompleteOptions): Promise<boolean> {
    const deleteKey = booleanField(
      tolerantFields(options, completeNames, "completeClaim"),
      "deleteKey",
      true,
    );
    const claims = [claimRef(claim)];
    const store = this.ready ?? (await this.opened());
    return (await store.completeClaims({ claims, deleteKey }))[0] === true;
  }

  /** Moves the end of the lease to `ttl` from now; false when the claim is stale. */
  async renewClaim(claim: ClaimRef, options: RenewOptions): Promise<boolean> {
    const ttl = requiredCountField(
      tolerantFields(options, renewNames, "renewClaim"),
      "ttl",
      claimTtlMsMax,
    );
    const claims = [claimRef(claim)];
    const store = this.ready ?? (await this.opened());
    return (await store.renewClaims({ claims, ttl }))[0] === true;
  }

  /** `releaseClaim` for many; stale ones are listed in `failed`. */
  async releaseClaims(claims: readonly ClaimRef[]): Promise<ReleasedClaims> {
    const refs = claimRefs(claims);
    const store = this.ready ?? (await this.opened());
    const failed = failedClaims(refs, await store.releaseClaims({ claims: refs }));
    return { attempted: refs.length, released: refs.length - failed.length, failed };
  }

  /** `completeClaim` for many; stale ones are listed in `failed`. */
  async completeClaims(
    claims: readonly ClaimRef[],
    options?: CompleteOptions,
  ): Promise<CompletedClaims> {
    const refs = claimRefs(claims);
    const deleteKey = booleanField(
      tolerantFields(options, completeNames, "completeClaims"),
      "deleteKey",
      true,
    );
    const store = this.ready ?? (await this.opened());
    const failed = failedClaims(refs, await store.completeClaims({ claims: refs, deleteKey }));
    return { attempted: refs.length, completed: refs.length - failed.length, failed };
  }

  /** `renewClaim` for many; stale ones are listed in `failed`. */
  async renewClaims(claims: readonly ClaimRef[], options: RenewOptions): Promise<RenewedClaims> {
    const refs = claimRefs(claims);
    const ttl = requiredCountField(
      tolerantFields(options, renewNames, "renewClaims"),
      "ttl",
      claimTtlMsMax,
    );
    const store = this.ready ?? (await this.opened());
    const failed = failedClaims(refs, await store.renewClaims({ claims: refs, ttl }));
    return { attempted: refs.length, renewed: refs.length - failed.length, failed };
  }

  /**
   * One page of live claims in key order, without the values: who holds what, and until when. Pages
   * are not a snapshot, as those of `scan`. O(log n) for each claim, on servers O(log² n).
   * @throws InvalidCursorError when the cursor is not one of ours.
   */
  async listClaims(options?: ScanOptions): Promise<ClaimPage<KeyOf<Schema>>> {
    const request = scanRequest(options, "listClaims");
    const store = this.ready ?? (await this.opened());
    const page = await store.listClaims(request);
    const claims = page.claims.map(({ owner, ...claim }) => {
      return { ...claim, key: claim.key as KeyOf<Schema>, ...(owner === "" ? {} : { owner }) };
    });
    const last = page.claims.at(-1)?.key ?? request.after;
    return { claims, cursor: page.done ? "" : encodeCursor(last), done: page.done };
  }

  async #claimRandom<Value>(
    prefix: string,
    count: number,
    lease: { ttl: number; owner: string },
  ): Promise<Claim<Value, KeyOf<Schema>>[]> {
    const { check } = this.format;
    const store = this.ready ?? (await this.opened());
    const claims = await store.claimRandom({ prefix, count, lease, check });
    return claims.map((claim) => this.#claim<Value>(claim));
  }

  async #popRandom<Value>(
    prefix: string,
    count: number,
    options: Guard | undefined,
  ): Promise<Entry<Value, KeyOf<Schema>>[]> {
    const { check } = this.format;
    const store = this.ready ?? (await this.opened());
    const entries = await store.popRandom({ prefix, count, check, options });
    return entries.map(({ key, value }) => ({
      key: key as KeyOf<Schema>,
      value: decodeValue(this.format, key, value) as Value,
    }));
  }

  #claim<Value>(stored: StoredClaim): Claim<Value, KeyOf<Schema>> {
    const { id, token, expiresAt, owner } = stored;
    const key = stored.key as KeyOf<Schema>;
    const entry = { key, value: decodeValue(this.format, key, stored.value) as Value };
    const claim = { id, key, token, expiresAt, entry };
    return owner === "" ? claim : { ...claim, owner };
  }
}

function failedClaims(refs: readonly ClaimRef[], updated: readonly boolean[]): FailedClaim[] {
  const failed: FailedClaim[] = [];
  refs.forEach(({ id, key }, index) => {
    if (updated[index]) return;
    const message = "the claim is unknown, expired, already ended or superseded";
    failed.push({ index, id, key, name: "ClaimNotUpdated", message });
  });
  return failed;
}
