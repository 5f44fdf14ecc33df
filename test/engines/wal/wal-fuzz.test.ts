// Fuzzing of everything that reads files: seeded damage of every kind, judged by a model.
// ANYKV_FUZZ_CASES sets the number of cases, ANYKV_SEED where they begin: the number in a failure's
// message with ANYKV_FUZZ_CASES=1 repeats it.

import { seededRandom } from "anykv/testing";
import { expect, test } from "vitest";
import { type Outcome, runCase } from "./fuzz-case.js";
import { provenIn, type Subject, subjectOf } from "./fuzz-subject.js";
import { mutate } from "./mutations.js";

const cases = Number(process.env.ANYKV_FUZZ_CASES ?? 1_000);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);
/** So many cases share a directory; it follows from the first of them. */
const casesPerStore = 50;
/** What leaves all bytes behind it where they were, or at least there. */
const traceable = new Set([
  "a flipped bit",
  "other bytes",
  "zeros",
  "zeros at the end",
  "noise at the end",
  "a huge length",
  "foreign files",
]);

test(`${cases} damaged directories`, { timeout: 100 + 100 * cases }, async () => {
  const outcomes = new Map<Outcome, number>();
  let subject: Subject | undefined;
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const storeSeed = seed - (seed % casesPerStore);
    if (subject === undefined || seed === storeSeed) subject = await subjectOf(storeSeed);
    const files = new Map(subject.files);
    const done = mutate(files, seededRandom(seed), subject.other);
    try {
      const isMixed = done.some((name) => name.includes("another store"));
      const isOurs = !isMixed || subject.original.majorityIn(files) > 0;
      const isCut = done.some((name) => !traceable.has(name));
      const survives = provenIn(files, subject);
      const outcome = await runCase(files, subject.original, { survives, isOurs, isCut });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (cause) {
      const repeat = `ANYKV_SEED=${seed} ANYKV_FUZZ_CASES=1 npx vitest run test/engines/wal/wal-fuzz`;
      throw new Error(`case ${seed} (${done.join(", ")}): ${repeat}`, { cause });
    }
  }
  console.info(`fuzzing: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(cases);
});
