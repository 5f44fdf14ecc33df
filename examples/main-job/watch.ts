// Watch: how virtual users tell an outsider what they ask of the store.
//
// Each method is called before the store is asked. What it returns is called when the store has
// said yes, and never when it has refused or failed.

import type { ClaimRef } from "anykv";

export interface Watch {
  claiming(leaseMs: number): (claim: ClaimRef) => void;
  renewing(claim: ClaimRef, leaseMs: number): () => void;
  /** A write under the guard of the claim. */
  writing(claim: ClaimRef): () => void;
  /** The holder gives the account back: from now on others may get it. */
  releasing(claim: ClaimRef): void;
  /** The same, and the account is to be used up by it. */
  completing(claim: ClaimRef): () => void;
  /** All that follows from the completed account has been written. */
  followed(claim: ClaimRef): void;
  violation(message: string): void;
}

/** What was seen in the end. */
export interface Verdict {
  readonly grants: number;
  /** Different accounts among the grants. */
  readonly accounts: number;
  readonly handedOutTwice: number;
  /** Grants of accounts whose holder let the lease run out. */
  readonly takeovers: number;
  /** Grants of accounts that were released before. */
  readonly afterRelease: number;
  readonly violationCount: number;
  /** The first few, for people. */
  readonly violations: readonly string[];
}

/** Violations: all are counted, the first few are kept. */
export class Violations {
  count = 0;
  readonly first: string[] = [];

  add(message: string): void {
    this.count++;
    if (this.first.length < violationsMax) this.first.push(message);
  }
}

const violationsMax = 10;

/** Leases are whole milliseconds of wall time; each side that looks at the clock rounds. */
export const roundingMs = 1;
