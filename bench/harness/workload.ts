// Workload: what a benchmark declares, and what comes out of it.
//
// A workload names two or more contestants. A sample is one slice of the same work by one of them,
// as a number in the workload's unit. Contestants take turns in one process, so that what slows
// the machine down slows all of them, and are compared round by round: see interleave.ts.

import type { Summary } from "./statistics.js";

/** `quick` runs tiny sizes: its answers count, its numbers mean nothing. */
export type Effort = "full" | "quick";

export interface Workload {
  /** As in `--only NAME`. */
  readonly name: string;
  /** What is measured, in one line. */
  readonly title: string;
  /**
   * Rejects with `WrongAnswerError` when a contestant answers wrongly. Files belong into
   * `directory`, which is there for as long as the run takes and shared with other workloads.
   */
  run(effort: Effort, directory: string): Promise<Outcome>;
}

export interface Contestant {
  readonly name: string;
  /** Does one slice of the work, checks its answers, and resolves with the sample. */
  sample(): Promise<number>;
}

export interface Target {
  readonly relation: "at least" | "at most";
  readonly value: number;
}

/** What the samples are to tell: a quotient of two contestants, or one contestant alone. */
export interface Question {
  readonly of: string;
  /** Divides round by round; undefined: the samples of `of` as they are. */
  readonly to: string | undefined;
  /** Where the divisor stops counting; undefined: nowhere. */
  readonly toMax?: number | undefined;
  /** Which figure the target is held against. */
  readonly judged: "median" | "worst";
  /** undefined: told for information. */
  readonly target: Target | undefined;
}

export interface Finding extends Question {
  readonly samples: readonly number[];
  readonly summary: Summary;
  /** null when there is no target. */
  readonly met: boolean | null;
}

export interface ContestantOutcome {
  readonly name: string;
  readonly samples: readonly number[];
  readonly summary: Summary;
}

export interface Outcome {
  readonly unit: string;
  readonly contestants: readonly ContestantOutcome[];
  readonly findings: readonly Finding[];
  /** What a reader has to know: contestants that could not take part, and why. */
  readonly notes?: readonly string[];
}

export interface NamedOutcome extends Outcome {
  readonly name: string;
  readonly title: string;
}

export function atLeast(value: number): Target {
  return { relation: "at least", value };
}

export function atMost(value: number): Target {
  return { relation: "at most", value };
}

/** `of` divided by `to`, judged by the median of the rounds. */
export function ratio(of: string, to: string, target?: Target): Question {
  return { of, to, judged: "median", target };
}

/** As `ratio`, with a divisor that counts at most `toMax`: "half of it, or so many if that is less". */
export function ratioUpTo(of: string, to: string, toMax: number, target: Target): Question {
  return { of, to, toMax, judged: "median", target };
}

/** The worst sample of a contestant, for bounds that must never be passed. */
export function worst(of: string, target?: Target): Question {
  return { of, to: undefined, judged: "worst", target };
}
