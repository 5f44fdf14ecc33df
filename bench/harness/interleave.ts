// Interleave: contestants take turns, and are compared with what ran beside them.
//
// A round is one sample of every contestant, in alternating order (A B C, C B A, ...), so that
// neither drift of the machine nor a place in the order favours anyone. Quotients are formed within
// a round and summarized afterwards: on a noisy machine they hold where the samples do not.

import { summarize } from "./statistics.js";
import type {
  Contestant,
  ContestantOutcome,
  Effort,
  Finding,
  Outcome,
  Question,
} from "./workload.js";

export interface Plan {
  readonly unit: string;
  readonly contestants: readonly Contestant[];
  readonly questions: readonly Question[];
  readonly rounds: number;
  /** Samples of each contestant that are thrown away first; default 3. */
  readonly warmUps?: number;
}

const quickRounds = 2;

export async function interleave(effort: Effort, plan: Plan): Promise<Outcome> {
  const { contestants, questions, unit } = plan;
  const rounds = effort === "quick" ? quickRounds : plan.rounds;
  const warmUps = effort === "quick" ? 0 : (plan.warmUps ?? 3);
  const samples = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      globalThis.gc?.();
      const sample = await contestant.sample();
      if (round >= 0) samples.get(contestant.name)?.push(sample);
    }
  }
  return outcomeOf(unit, samples, questions);
}

/** The outcome of samples by contestant, those of a round in the same place of each. */
export function outcomeOf(
  unit: string,
  samples: ReadonlyMap<string, readonly number[]>,
  questions: readonly Question[],
): Outcome {
  const contestants = Array.from(samples, ([name, taken]) => contestantOutcome(name, taken));
  return { unit, contestants, findings: questions.map((asked) => find(asked, samples)) };
}

function contestantOutcome(name: string, samples: readonly number[]): ContestantOutcome {
  return { name, samples, summary: summarize(samples) };
}

function find(question: Question, samples: ReadonlyMap<string, readonly number[]>): Finding {
  const found = samplesOf(question.of, samples);
  const base = question.to === undefined ? undefined : samplesOf(question.to, samples);
  const { toMax = Number.POSITIVE_INFINITY } = question;
  const answers = found.map((sample, round) => sample / Math.min(base?.[round] ?? 1, toMax));
  const summary = summarize(answers);
  return { ...question, samples: answers, summary, met: judge(question, summary) };
}

function samplesOf(
  name: string,
  samples: ReadonlyMap<string, readonly number[]>,
): readonly number[] {
  const found = samples.get(name);
  if (found === undefined) throw new Error(`no contestant is called "${name}"`);
  return found;
}

function judge({ judged, target }: Question, summary: Finding["summary"]): boolean | null {
  if (target === undefined) return null;
  if (target.relation === "at least") {
    return (judged === "median" ? summary.median : summary.min) >= target.value;
  }
  return (judged === "median" ? summary.median : summary.max) <= target.value;
}
