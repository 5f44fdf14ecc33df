// Referee: watches every grant of one process from outside, trusting nothing but tokens and its own
// clock.
//
// A lease lasts at least from the moment at which it was asked for until its length later. A grant
// that arrives before that end, while the holder has not asked to give it up, means that two users
// hold one account: it was handed out twice. Moments are compared in whole milliseconds of wall
// time, as leases are; with a store that has another clock each side rounds, hence the tolerance.

import type { ClaimRef } from "anykv";
import { roundingMs, type Verdict, Violations, type Watch } from "./watch.js";

interface Ledger {
  token: number;
  liveUntil: number;
  held: boolean;
  completed: boolean;
}

export class Referee implements Watch, Verdict {
  grants = 0;
  handedOutTwice = 0;
  takeovers = 0;
  afterRelease = 0;
  readonly #violations = new Violations();
  readonly #ledgers = new Map<string, Ledger>();
  readonly #tokens = new Set<number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get accounts(): number {
    return this.#ledgers.size;
  }

  get violationCount(): number {
    return this.#violations.count;
  }

  get violations(): readonly string[] {
    return this.#violations.first;
  }

  claiming(leaseMs: number): (claim: ClaimRef) => void {
    const liveUntil = this.#now() + leaseMs;
    return (claim) => this.#granted(claim, liveUntil);
  }

  #granted(claim: ClaimRef, liveUntil: number): void {
    const { key, token } = claim;
    this.grants++;
    if (this.#tokens.has(token)) this.violation(`token ${token} was given twice`);
    this.#tokens.add(token);
    const last = this.#ledgers.get(key);
    if (last !== undefined) this.#judge(claim, last);
    const completed = last?.completed ?? false;
    this.#ledgers.set(key, { token, liveUntil, held: true, completed });
  }

  #judge({ key, token }: ClaimRef, last: Ledger): void {
    if (token <= last.token) this.violation(`${key}: token ${token} came after ${last.token}`);
    if (last.completed) {
      this.handedOutTwice++;
      this.violation(`${key} was handed out after it had been completed`);
    } else if (!last.held) {
      this.afterRelease++;
    } else if (this.#now() < last.liveUntil - roundingMs) {
      this.handedOutTwice++;
      this.violation(`${key} was handed out twice: tokens ${last.token} and ${token}`);
    } else {
      this.takeovers++;
    }
  }

  renewing(claim: ClaimRef, leaseMs: number): () => void {
    const liveUntil = this.#now() + leaseMs;
    const mayRenew = this.#newest(claim) !== undefined;
    return () => {
      const ledger = this.#newest(claim);
      if (ledger !== undefined) ledger.liveUntil = liveUntil;
      if (!mayRenew) this.violation(`${claim.key}: the stale token ${claim.token} was renewed`);
    };
  }

  writing(claim: ClaimRef): () => void {
    const mayWrite = this.#newest(claim) !== undefined;
    return () => {
      if (!mayWrite) this.violation(`${claim.key}: the stale token ${claim.token} wrote`);
    };
  }

  releasing(claim: ClaimRef): void {
    const ledger = this.#newest(claim);
    if (ledger !== undefined) ledger.held = false;
  }

  completing(claim: ClaimRef): () => void {
    this.releasing(claim);
    return () => this.#completed(claim);
  }

  #completed(claim: ClaimRef): void {
    const ledger = this.#ledgers.get(claim.key);
    if (ledger?.token !== claim.token) {
      this.violation(`${claim.key}: the stale token ${claim.token} completed it`);
    }
    if (ledger?.completed) this.violation(`${claim.key} was completed twice`);
    if (ledger !== undefined) ledger.completed = true;
  }

  followed(): void {}

  /** The ledger of this claim, unless somebody has been given the account after it. */
  #newest(claim: ClaimRef): Ledger | undefined {
    const ledger = this.#ledgers.get(claim.key);
    return ledger?.token === claim.token ? ledger : undefined;
  }

  violation(message: string): void {
    this.#violations.add(message);
  }
}
