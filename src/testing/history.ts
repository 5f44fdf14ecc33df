// Histories: long random sequences of operations, carried out on a store and on the model.
//
// fast-check is handed in, so that it stays a choice of whoever tests. A failure is shrunk to the
// shortest history found, and its message says how to run exactly that one again.

import { type FastCheckModule, type History, historyArbitrary } from "./history-arbitrary.js";
import { HistoryRun, showCommand } from "./history-run.js";
import { type Runner, type StoreFactory, whereFeature } from "./runner.js";
import { virtualEnv } from "./virtual-env.js";

export interface HistoryOptions {
  /** How many histories. */
  readonly runs: number;
  /** Operations in each; default 200. */
  readonly steps?: number;
  /** Close the store and open it again at random points; for stores that outlive their handles. */
  readonly reopens?: boolean;
  /** A 32-bit integer; the same seed gives the same histories. Default 1. */
  readonly seed?: number;
  /** With the seed of a failure: runs nothing but the history that its report calls by this path. */
  readonly path?: string;
  /** How long a history may take on average before the test counts as stuck; default 100. */
  readonly timeoutMsPerRun?: number;
  /** The command that runs this test, shown in reports. */
  readonly command?: string;
}

const timeoutMsPerRunDefault = 100;
const timeoutMsMin = 60_000;
const stepsDefault = 200;

/** Registers one test that compares a store with the model over random histories. */
export function historySuite(
  runner: Runner & { readonly fc: FastCheckModule },
  factory: StoreFactory,
  options: HistoryOptions,
): void {
  const { runs, steps = stepsDefault, reopens = false } = options;
  const { timeoutMsPerRun = timeoutMsPerRunDefault } = options;
  const how = reopens ? ", with reopenings," : "";
  runner.describe(`${factory.name}: histories`, () => {
    whereFeature(runner, factory, "virtual clock", () => {
      runner.test(
        `${runs} histories of ${steps} operations${how} agree with the model`,
        () => checkHistories(runner.fc, factory, options),
        Math.max(timeoutMsMin, runs * timeoutMsPerRun),
      );
    });
  });
}

/** @throws Error with the smallest failing history that could be found. */
export async function checkHistories(
  fc: FastCheckModule,
  factory: StoreFactory,
  options: HistoryOptions,
): Promise<void> {
  const { runs, steps = stepsDefault, seed = 1, path, command = "npx vitest run" } = options;
  const histories = historyArbitrary(fc, steps, options.reopens ?? false);
  const property = fc.asyncProperty(histories, (history) => runHistory(factory, history));
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return;
  const [history] = details.counterexample ?? [];
  if (history === undefined) throw new Error(`no history failed, but the check did`);
  const again = `ANYKV_SEED=${details.seed} ANYKV_PATH=${details.counterexamplePath} ${command}`;
  const cause = details.errorInstance;
  throw new Error(`${describeFailure(history, cause)}\nTo run it again:\n  ${again}`, { cause });
}

function describeFailure({ seed, trackKeys, commands }: History, cause: unknown): string {
  const lines = commands.map((command, index) => `  ${index + 1}. ${showCommand(command)}`);
  const head = `trackKeys ${trackKeys}, random seed ${seed}, ${commands.length} steps`;
  return [
    cause instanceof Error ? cause.message : String(cause),
    `The shortest history found (${head}):`,
    ...lines,
  ].join("\n");
}

/** Carries one history out on a store of its own. */
export async function runHistory(factory: StoreFactory, history: History): Promise<void> {
  const { seed, trackKeys, commands } = history;
  const env = virtualEnv({ seed });
  const store = await factory.create({ env, trackKeys });
  const run = new HistoryRun(store, env, trackKeys, factory.spread);
  try {
    await run.run(commands);
  } finally {
    await store.close();
  }
  await run.afterClose();
}
