// Virtual user: claims an account, works, and completes it; now and then releases it instead, works
// longer than a lease lasts, or crashes.

import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { type Claim, StaleClaimError } from "anykv";
import { type Account, type CompletedFilter, type JobKv, poolPrefix, resultKey } from "./schema.js";
import type { Tally } from "./tally.js";
import type { Watch } from "./watch.js";

export interface Workplace {
  readonly kv: JobKv;
  readonly completed: CompletedFilter;
  readonly watch: Watch;
  readonly tally: Tally;
  readonly incidents: Incidents;
  readonly leaseMs: number;
  /** Whether the time for working off what is left has run out, too. */
  isClosed(): boolean;
  /** Whether nothing is left to claim, nor ever will be. */
  isDone(): Promise<boolean>;
}

type AccountClaim = Claim<Account>;

/** Until the next look at a pool in which everything is taken. */
const idleMs = 10;

/** To how many of a thousand claims it happens. */
const perMille = { crash: 2, longWork: 1, wait: 250, release: 50, renewal: 200 } as const;
type Incident = keyof typeof perMille;

/** Deals incidents in turn instead of at random, so that a short run has its share of each. */
export class Incidents {
  readonly #due = new Map<Incident, number>();

  happens(incident: Incident): boolean {
    const due = (this.#due.get(incident) ?? 0) + perMille[incident];
    this.#due.set(incident, due % 1_000);
    return due >= 1_000;
  }
}

export class VirtualUser {
  readonly #place: Workplace;
  readonly #name: string;

  constructor(place: Workplace, name: string) {
    this.#place = place;
    this.#name = name;
  }

  async run(): Promise<void> {
    while (!this.#place.isClosed()) {
      const claim = await this.#claim();
      if (claim !== null) await this.#use(claim);
      else if (await this.#place.isDone()) return;
      else await sleep(idleMs);
    }
  }

  async #claim(): Promise<AccountClaim | null> {
    const { kv, watch, tally, leaseMs } = this.#place;
    const options = { prefix: poolPrefix, owner: this.#name, ttl: leaseMs };
    const granted = watch.claiming(leaseMs);
    const claim = await kv.claimRandom<Account>(options);
    if (claim === null) return null;
    tally.claims++;
    granted(claim);
    return claim;
  }

  async #use(claim: AccountClaim): Promise<void> {
    const { incidents } = this.#place;
    if (incidents.happens("crash")) return this.#crash(claim);
    if (incidents.happens("longWork")) await this.#workLong(claim);
    else if (incidents.happens("wait")) await sleep(1 + Math.random() * 4);
    else await turn();
    if (incidents.happens("release")) return this.#release(claim);
    if (incidents.happens("renewal")) await this.#renew(claim);
    await this.#complete(claim);
  }

  /** Half as long again as a lease, which is kept alive meanwhile. */
  async #workLong(claim: AccountClaim): Promise<void> {
    for (let part = 0; part < 6; part++) {
      await sleep(this.#place.leaseMs / 4);
      if (!(await this.#renew(claim))) return;
    }
  }

  async #renew(claim: AccountClaim): Promise<boolean> {
    const { kv, watch, tally, leaseMs } = this.#place;
    const renewed = watch.renewing(claim, leaseMs);
    if (!(await kv.renewClaim(claim, { ttl: leaseMs }))) return false;
    tally.renewed++;
    renewed();
    return true;
  }

  async #release(claim: AccountClaim): Promise<void> {
    const { kv, watch, tally } = this.#place;
    watch.releasing(claim);
    if (await kv.releaseClaim(claim)) tally.released++;
    else tally.leasesLost++;
  }

  async #complete(claim: AccountClaim): Promise<void> {
    const { kv, watch, tally } = this.#place;
    const written = await this.#write(claim);
    const completed = watch.completing(claim);
    if (!written || !(await kv.completeClaim(claim, { deleteKey: true }))) {
      tally.leasesLost++;
      return;
    }
    tally.completed++;
    completed();
    await this.#record(claim);
    watch.followed(claim);
  }

  /** Writes the result under the guard of the claim; false when the store refuses it as stale. */
  async #write(claim: AccountClaim): Promise<boolean> {
    const { kv, watch } = this.#place;
    const wrote = watch.writing(claim);
    const { country } = claim.entry.value;
    const result = { country, user: this.#name, token: claim.token };
    try {
      await kv.set(resultKey(claim.key), result, { claim });
    } catch (error) {
      if (error instanceof StaleClaimError) return false;
      throw error;
    }
    wrote();
    return true;
  }

  /** What follows from a completed account: the filter, a counter, and work for the report. */
  async #record(claim: AccountClaim): Promise<void> {
    const { kv, completed, tally } = this.#place;
    const { country } = claim.entry.value;
    if (await completed.checkThenAdd(claim.key)) tally.completedTwice++;
    await kv.incrementBy(`completed:${country}`, 1);
    await kv.append("finished", { account: claim.key, country });
  }

  /** Forgets the claim, wakes up when its lease is over, and goes on as if nothing had happened. */
  async #crash(claim: AccountClaim): Promise<void> {
    const { kv, tally, leaseMs } = this.#place;
    tally.crashes++;
    await sleep(leaseMs + 20 + Math.random() * leaseMs);
    const accepted = [
      await this.#write(claim),
      await kv.renewClaim(claim, { ttl: leaseMs }),
      await kv.completeClaim(claim),
      await kv.releaseClaim(claim),
    ];
    tally.staleAttempts += accepted.length;
    tally.staleRefused += accepted.filter((done) => !done).length;
  }
}
