// Referee: watches every grant from outside, trusting nothing but tokens and its own clock.
//
// A lease lasts at least from the moment at which it was asked for until its length later. A grant
// that arrives before that end, while the holder has not asked to give it up, means that two users
// hold one account: it was handed out twice. Moments are compared in whole milliseconds of wall
// time, as leases are; with a store that has another clock each side rounds, hence the tolerance.

import type { ClaimRef } from "anykv";

interface Ledger {
  token: number;
  liveUntil: number;
  held: boolean;
  completed: boolean;
}

const roundingMs = 1;
const violationsMax = 10;

export class Referee {
  grants = 0;
  handedOutTwice = 0;
  /** Grants of accounts whose holder let the lease run out. */
  takeovers = 0;
  /** Grants of accounts that were released before. */
  afterRelease = 0;
  violationCount = 0;
  /** The first few, for people. */
  readonly violations: string[] = [];
  readonly #ledgers = new Map<string, Ledger>();
  readonly #tokens = new Set<number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get accounts(): number {
    return this.#ledgers.size;
  }

  now(): number {
    return this.#now();
  }

  /** A claim has arrived that was asked for at `askedAt`. */
  granted(claim: ClaimRef, askedAt: number, leaseMs: number): void {
    const { key, token } = claim;
    this.grants++;
    if (this.#tokens.has(token)) this.violation(`token ${token} was given twice`);
    this.#tokens.add(token);
    const last = this.#ledgers.get(key);
    if (last !== undefined) this.#judge(claim, last);
    const completed = last?.completed ?? false;
    this.#ledgers.set(key, { token, liveUntil: askedAt + leaseMs, held: true, completed });
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

  /** A lease was renewed by a call made at `askedAt`. */
  renewed(claim: ClaimRef, askedAt: number, leaseMs: number): void {
    const ledger = this.#ledgers.get(claim.key);
    if (ledger?.token === claim.token) ledger.liveUntil = askedAt + leaseMs;
  }

  /** The holder is about to release or to complete: from now on others may get the account. */
  leaving(claim: ClaimRef): void {
    const ledger = this.#ledgers.get(claim.key);
    if (ledger?.token === claim.token) ledger.held = false;
  }

  /** The store says that this claim has completed its account. */
  completed(claim: ClaimRef): void {
    const ledger = this.#ledgers.get(claim.key);
    if (ledger?.token !== claim.token) {
      this.violation(`${claim.key}: the stale token ${claim.token} completed it`);
    }
    if (ledger?.completed) this.violation(`${claim.key} was completed twice`);
    if (ledger !== undefined) ledger.completed = true;
  }

  /** Whether nobody has been given this account after `claim`: without that nothing may succeed. */
  isNewest(claim: ClaimRef): boolean {
    return this.#ledgers.get(claim.key)?.token === claim.token;
  }

  violation(message: string): void {
    this.violationCount++;
    if (this.violations.length < violationsMax) this.violations.push(message);
  }
}
