// Model of claims and of one-time allocation. Tokens rise by one in a partition; ids are the store's to invent, but
// never twice the same.

import type {
  Claim,
  ClaimKeysOptions,
  ClaimRandomManyOptions,
  ClaimRandomOptions,
  ClaimRef,
  CompleteOptions,
  CountedOptions,
  Entry,
  FailedClaim,
  LeaseOptions,
  PrefixOptions,
  RenewOptions,
  ScanOptions,
} from "../kv/types.js";
import { chosen, chosenFrom, QueryModel } from "./model-queries.js";
import { Disagreement, type Lease } from "./model-state.js";

const leaseMsDefault = 30_000;

export class ClaimModel extends QueryModel {
  readonly #ids = new Set<string>();

  claimRandom(options: ClaimRandomOptions = {}): unknown {
    const free = this.#free(options.prefix);
    if (free.length === 0) return null;
    return this.#grantAsTaken(free, this.taken, options);
  }

  claimRandomMany(options: ClaimRandomManyOptions): unknown {
    const free = this.#free(options.prefix);
    const taken = chosenFrom<Claim>(this.taken, Math.min(options.count, free.length));
    return taken.map((claim) => this.#grantAsTaken(this.#free(options.prefix), claim, options));
  }

  claimKey(key: string, options: LeaseOptions = {}): unknown {
    return this.#obstacle(key) === undefined ? this.#grant(key, this.taken, options) : null;
  }

  claimKeys(keys: string[], options: ClaimKeysOptions = {}): unknown {
    const blocked = keys.find((key) => this.#obstacle(key) !== undefined);
    const asked = options.allOrNothing && blocked !== undefined ? [blocked] : keys;
    if (asked !== keys) this.#skipTokens(keys);
    const of = (obstacle: string) => asked.filter((key) => this.#obstacle(key) === obstacle);
    const result = { busy: of("busy"), missing: of("missing") };
    const free = asked.filter((key) => this.#obstacle(key) === undefined);
    const taken = (this.taken as { claimed?: unknown[] } | undefined)?.claimed;
    const claimed = free.map((key, index) => this.#grant(key, taken?.[index], options));
    return { claimed, ...result };
  }

  popRandom(options?: PrefixOptions): unknown {
    const free = this.#free(options?.prefix);
    if (free.length === 0) return null;
    return this.#remove(chosen(free, (this.taken as Entry | null)?.key));
  }

  popRandomMany({ prefix, count }: CountedOptions): unknown {
    const taken = chosenFrom<Entry>(this.taken, Math.min(count, this.#free(prefix).length));
    return taken.map(({ key }) => this.#remove(chosen(this.#free(prefix), key)));
  }

  releaseClaim(claim: ClaimRef): unknown {
    return this.isHeld(claim) && this.leases.delete(claim.key);
  }

  completeClaim(claim: ClaimRef, options?: CompleteOptions): unknown {
    if (!this.isHeld(claim)) return false;
    if (options?.deleteKey === false) this.leases.delete(claim.key);
    else this.drop(claim.key);
    return true;
  }

  renewClaim(claim: ClaimRef, { ttl }: RenewOptions): unknown {
    const lease = this.leases.get(claim.key);
    if (!this.isHeld(claim) || lease === undefined) return false;
    lease.deadline = this.now + ttl;
    return true;
  }

  releaseClaims(claims: ClaimRef[]): unknown {
    const failed = this.#failed(claims, (claim) => this.releaseClaim(claim));
    return { attempted: claims.length, released: claims.length - failed.length, failed };
  }

  completeClaims(claims: ClaimRef[], options?: CompleteOptions): unknown {
    const failed = this.#failed(claims, (claim) => this.completeClaim(claim, options));
    return { attempted: claims.length, completed: claims.length - failed.length, failed };
  }

  renewClaims(claims: ClaimRef[], options: RenewOptions): unknown {
    const failed = this.#failed(claims, (claim) => this.renewClaim(claim, options));
    return { attempted: claims.length, renewed: claims.length - failed.length, failed };
  }

  listClaims(options?: ScanOptions): unknown {
    const claimed = this.keysOf("value", options?.prefix).filter((key) => this.isClaimed(key));
    const { keys, ...page } = this.page(claimed, options);
    const claims = keys.map((key) => {
      const { id, token, deadline, owner } = this.leases.get(key) as Lease;
      const claim = { id, key, token, expiresAt: deadline };
      return owner === undefined ? claim : { ...claim, owner };
    });
    return { claims, ...page };
  }

  /** Where nothing blocks them, keys are claimed and released again. */
  #skipTokens(keys: string[]): void {
    for (const group of this.together(keys)) {
      if (group.some((key) => this.#obstacle(key) !== undefined)) continue;
      for (const key of group) this.nextToken(key);
    }
  }

  #free(prefix: string | undefined): string[] {
    return this.keysOf("value", prefix).filter((key) => !this.isClaimed(key));
  }

  /** Claims see values only: an array is as good as missing. */
  #obstacle(key: string): "missing" | "busy" | undefined {
    if (this.rows.get(key)?.kind !== "value") return "missing";
    return this.isClaimed(key) ? "busy" : undefined;
  }

  #remove(key: string): unknown {
    const entry = this.entry(key);
    this.drop(key);
    return entry;
  }

  #grantAsTaken(free: string[], taken: unknown, options: LeaseOptions): unknown {
    return this.#grant(chosen(free, (taken as Claim | null)?.key), taken, options);
  }

  #grant(key: string, taken: unknown, { ttl = leaseMsDefault, owner }: LeaseOptions): unknown {
    const id = (taken as Claim | null | undefined)?.id;
    if (typeof id !== "string" || id === "" || this.#ids.has(id)) {
      throw new Disagreement(`a claim of ${JSON.stringify(key)} was due with an id of its own`);
    }
    this.#ids.add(id);
    const token = this.nextToken(key);
    const lease = { id, token, owner: owner || undefined, deadline: this.now + ttl };
    this.leases.set(key, lease);
    const claim = { id, key, token, expiresAt: lease.deadline, entry: this.entry(key) };
    return owner ? { ...claim, owner } : claim;
  }

  #failed(claims: ClaimRef[], update: (claim: ClaimRef) => unknown): FailedClaim[] {
    const told = (this.taken as { failed?: FailedClaim[] } | undefined)?.failed ?? [];
    const failed: FailedClaim[] = [];
    claims.forEach((claim, index) => {
      if (update(claim)) return;
      const message = told[failed.length]?.message || "a message";
      failed.push({ index, id: claim.id, key: claim.key, name: "ClaimNotUpdated", message });
    });
    return failed;
  }
}
