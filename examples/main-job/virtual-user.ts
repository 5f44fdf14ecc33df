// Virtual user: claims an account, works, and completes it; now and then releases it instead, works
// longer than a lease lasts, or crashes.

import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { type Claim, StaleClaimError } from "anykv";
import type { Referee } from "./referee.js";
import { type Account, type CompletedFilter, type JobKv, poolPrefix, resultKey } from "./schema.js";
import type { Tally } from "./tally.js";

export interface Workplace {
  readonly kv: JobKv;
  readonly completed: CompletedFilter;
  readonly referee: Referee;
  readonly tally: Tally;
  readonly leaseMs: number;
  /** Whether nothing will ever be left to claim. */
  isOver(): Promise<boolean>;
}

type AccountClaim = Claim<Account>;

// What happens to how many of a thousand claims; the others are completed at once.
const crashesPerMille = 2;
const longWorkPerMille = 1;
const releasesPerMille = 50;
const waitsPerMille = 250;
const renewalsPerMille = 200;

const happens = (perMille: number): boolean => Math.random() * 1_000 < perMille;

export class VirtualUser {
  readonly #place: Workplace;
  readonly #name: string;

  constructor(place: Workplace, name: string) {
    this.#place = place;
    this.#name = name;
  }

  async run(): Promise<void> {
    for (;;) {
      const claim = await this.#claim();
      if (claim !== null) await this.#use(claim);
      else if (await this.#place.isOver()) return;
      else await sleep(2);
    }
  }

  async #claim(): Promise<AccountClaim | null> {
    const { kv, referee, leaseMs } = this.#place;
    const askedAt = referee.now();
    const options = { prefix: poolPrefix, owner: this.#name, ttl: leaseMs };
    const claim = await kv.claimRandom<Account>(options);
    if (claim !== null) referee.granted(claim, askedAt, leaseMs);
    return claim;
  }

  async #use(claim: AccountClaim): Promise<void> {
    if (happens(crashesPerMille)) return this.#crash(claim);
    if (happens(longWorkPerMille)) await this.#workLong(claim);
    else await this.#work();
    if (happens(releasesPerMille)) return this.#release(claim);
    if (happens(renewalsPerMille)) await this.#renew(claim);
    await this.#complete(claim);
  }

  async #work(): Promise<void> {
    if (happens(waitsPerMille)) await sleep(1 + Math.random() * 4);
    else await turn();
  }

  /** Half as long again as a lease, which is kept alive meanwhile. */
  async #workLong(claim: AccountClaim): Promise<void> {
    for (let part = 0; part < 6; part++) {
      await sleep(this.#place.leaseMs / 4);
      if (!(await this.#renew(claim))) return;
    }
  }

  async #renew(claim: AccountClaim): Promise<boolean> {
    const { kv, referee, tally, leaseMs } = this.#place;
    const askedAt = referee.now();
    const renewed = await kv.renewClaim(claim, { ttl: leaseMs });
    if (renewed) {
      tally.renewed++;
      referee.renewed(claim, askedAt, leaseMs);
    }
    return renewed;
  }

  async #release(claim: AccountClaim): Promise<void> {
    const { kv, referee, tally } = this.#place;
    referee.leaving(claim);
    if (await kv.releaseClaim(claim)) tally.released++;
    else tally.leasesLost++;
  }

  async #complete(claim: AccountClaim): Promise<void> {
    const { kv, referee, tally } = this.#place;
    const written = await this.#write(claim);
    referee.leaving(claim);
    if (!written || !(await kv.completeClaim(claim, { deleteKey: true }))) {
      tally.leasesLost++;
      return;
    }
    tally.completed++;
    referee.completed(claim);
    await this.#record(claim);
  }

  /** Writes the result under the guard of the claim; false when the store refuses it as stale. */
  async #write(claim: AccountClaim): Promise<boolean> {
    const { kv, referee } = this.#place;
    const mayWrite = referee.isNewest(claim);
    const { country } = claim.entry.value;
    const result = { country, user: this.#name, token: claim.token };
    try {
      await kv.set(resultKey(claim.key), result, { claim });
    } catch (error) {
      if (error instanceof StaleClaimError) return false;
      throw error;
    }
    if (!mayWrite) referee.violation(`${claim.key}: the stale token ${claim.token} wrote`);
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
