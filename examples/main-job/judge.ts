// Judge: reads what the users of all processes told, once all is over, and says whether the store
// kept its promises between them.
//
// Tokens order the grants of an account; the moments at which calls were made and answered tell
// what must not have happened. A process may hear late of what it was granted, so only what follows
// from the calls counts: whatever was asked for after a later grant had arrived must be refused,
// and when a grant arrives, the one before it has been given back or its lease is over.

import { roundingMs, type Verdict, Violations } from "./watch.js";

/** One claim in the hands of one user, as the journal of its process tells. */
export interface Holding {
  readonly key: string;
  readonly token: number;
  readonly process: number;
  readonly askedAt: number;
  readonly toldAt: number;
  readonly toldMs: number;
  /** Until when the lease lasts at least; renewals prolong it. */
  liveUntilMs: number;
  /** The last moment at which something was asked for under this claim, and was granted. */
  acceptedAt: number;
  leftAt?: number;
  completed: boolean;
  followed: boolean;
}

export class Judge implements Verdict {
  grants = 0;
  handedOutTwice = 0;
  takeovers = 0;
  afterRelease = 0;
  /** Elements of the queue that the report has counted. */
  reported = 0;
  readonly #violations = new Violations();
  readonly #tokens = new Set<number>();
  readonly #holdings = new Map<string, Holding[]>();

  get accounts(): number {
    return this.#holdings.size;
  }

  get violationCount(): number {
    return this.#violations.count;
  }

  get violations(): readonly string[] {
    return this.#violations.first;
  }

  violation(message: string): void {
    this.#violations.add(message);
  }

  /** Takes in the journal of a process. */
  async hear(process: number, lines: AsyncIterable<string>): Promise<void> {
    const mine = new Map<string, Holding>();
    for await (const line of lines) {
      const [kind = "", key = "", token = "", ...numbers] = line.split(" ");
      if (kind === "violation") {
        this.violation(line.slice(kind.length + 1));
      } else if (kind === "reported") {
        this.reported++;
      } else if (kind === "granted") {
        mine.set(
          `${key} ${token}`,
          this.#granted(process, key, Number(token), numbers.map(Number)),
        );
      } else {
        note(kind, mine.get(`${key} ${token}`), numbers.map(Number));
      }
    }
  }

  #granted(process: number, key: string, token: number, numbers: readonly number[]): Holding {
    const [askedAt = 0, toldAt = 0, toldMs = 0, liveUntilMs = 0] = numbers;
    const times = { askedAt, toldAt, toldMs, liveUntilMs, acceptedAt: 0 };
    const holding = { key, token, process, ...times, completed: false, followed: false };
    this.grants++;
    if (this.#tokens.has(token)) this.violation(`token ${token} was given twice`);
    this.#tokens.add(token);
    const others = this.#holdings.get(key);
    if (others === undefined) this.#holdings.set(key, [holding]);
    else others.push(holding);
    return holding;
  }

  /** Judges everything that was heard; to be called once. */
  judge(): void {
    for (const holdings of this.#holdings.values()) {
      holdings.sort((a, b) => a.token - b.token);
      let later: Holding | undefined;
      for (const holding of holdings.toReversed()) {
        if (later !== undefined) this.#compare(holding, later);
        later = holding;
      }
    }
  }

  /** `later` is the next grant of the same account, by token. */
  #compare(holding: Holding, later: Holding): void {
    const { key, token } = holding;
    if (holding.askedAt > later.toldAt) {
      this.violation(`${key}: token ${token} came after ${later.token}`);
    }
    if (holding.acceptedAt > later.toldAt) {
      this.violation(`${key}: the stale token ${token} was accepted after ${later.token}`);
    }
    const hasLeft = holding.leftAt !== undefined && holding.leftAt <= later.toldAt;
    if (holding.completed && hasLeft) {
      this.#twice(`${key} was handed out after it had been completed`);
    } else if (holding.completed) {
      this.violation(`${key}: the stale token ${token} completed it`);
    } else if (hasLeft) {
      this.afterRelease++;
    } else if (later.toldMs < holding.liveUntilMs - roundingMs) {
      this.#twice(`${key} was handed out twice: tokens ${token} and ${later.token}`);
    } else {
      this.takeovers++;
    }
  }

  #twice(message: string): void {
    this.handedOutTwice++;
    this.violation(message);
  }

  *holdings(): Generator<Holding> {
    for (const holdings of this.#holdings.values()) yield* holdings;
  }
}

/** What a line tells about a claim that was granted in an earlier one. */
function note(kind: string, holding: Holding | undefined, numbers: readonly number[]): void {
  if (holding === undefined) return;
  const [askedAt = 0, liveUntilMs = 0] = numbers;
  if (kind === "leaving") holding.leftAt = askedAt;
  else if (kind === "completed") holding.completed = true;
  else if (kind === "followed") holding.followed = true;
  else holding.acceptedAt = Math.max(holding.acceptedAt, askedAt);
  if (kind === "renewed") holding.liveUntilMs = liveUntilMs;
}
