// Verify: everything that is wrong with the files of a store, and whether it opens.
//
// Invariants
// 1. Nothing is changed, not even the lock. A directory that is in use is refused: its owner cuts
//    and removes files at any moment, so nothing that is said about them would be true.
// 2. `opens` comes from the very code that opens. The rest of the report is made independently of
//    it, and both must agree: a store that does not open has a problem in a file that it needs.

import { DiskStoreOpenError, InternalStoreError, isKvError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import type { Env } from "../../env/env.js";
import { requireUnowned } from "./directory-lock.js";
import { fileHeaderBytes, formatVersion } from "./file-header.js";
import { type Gap, inspectSegment, type SegmentFindings } from "./inspect-segment.js";
import { inspectState } from "./inspect-state.js";
import { segmentName } from "./log-format.js";
import { openError } from "./open-errors.js";
import { directoriesIn, examine } from "./recovery.js";
import { CopyNote } from "./row-counters.js";
import { requireWalDirectory, type Survey, type SurveyedFile, surveyFiles } from "./survey.js";
import type { Problem, Progress, SegmentReport, StateReport, WalReport } from "./wal-report.js";

export interface VerifyOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Reads every state and segment in the directory of a store. O(bytes).
 *
 * @throws DiskPathError when `path` is no such directory, DiskStoreOpenError when it is in use, has
 * files of another version of the format, or cannot be read.
 */
export async function verifyWal(
  env: Env,
  path: string,
  { onProgress = () => {} }: VerifyOptions = {},
): Promise<WalReport> {
  await requireWalDirectory(env, path);
  const lock = `${path}/LOCK`;
  try {
    const before = await requireUnowned(env, lock);
    const { report, failure } = await attempt(() => inspectFiles(env, path, onProgress));
    if ((await requireUnowned(env, lock)) !== before) throw openedMeanwhile(path, failure);
    if (report === undefined) throw failure;
    return report;
  } catch (error) {
    throw openError(path, error);
  }
}

async function attempt(
  inspect: () => Promise<WalReport>,
): Promise<{ report?: WalReport; failure?: unknown }> {
  try {
    return { report: await inspect() };
  } catch (failure) {
    return { failure };
  }
}

function openedMeanwhile(path: string, cause: unknown): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} was opened by another process meanwhile`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "verify it again while nobody opens it",
  });
}

/** `verifyWal` for whoever holds the lock. */
export async function inspectFiles(
  env: Env,
  path: string,
  onProgress: (progress: Progress) => void,
): Promise<WalReport> {
  const survey = await surveyFiles(env, path);
  const files = [...survey.states, ...survey.segments];
  const run = new Verification(env, survey);
  for (const [filesDone, file] of files.entries()) {
    onProgress({ step: "verify", path: file.path, filesDone, files: files.length });
    await run.file(file);
    await env.timers.breathe();
  }
  run.end();
  const copy = new CopyNote();
  const refusal = await refusalOf(env, path, copy);
  const opens = refusal === undefined;
  const unfinishedCopy = opens ? copy.note : undefined;
  const report = { path, opens, refusal, unfinishedCopy, ...run.report };
  assertAgreement(report);
  return report;
}

function assertAgreement({ opens, files, problems, path }: WalReport): void {
  const superseded = files.filter((file) => !file.needed).flatMap((file) => file.problems);
  if (opens === (problems.length === superseded.length)) return;
  throw new InternalStoreError(
    `verifying ${path} found ${problems.length - superseded.length} problems, yet the store ` +
      `${opens ? "opens" : "does not open"}`,
    { hint: "report this as a defect, with the report and a copy of the directory" },
  );
}

async function refusalOf(
  env: Env,
  path: string,
  target: ChangeTarget,
): Promise<WalReport["refusal"]> {
  try {
    await examine(env, directoriesIn(path), target);
    return undefined;
  } catch (error) {
    if (!isKvError(error)) throw error;
    return { message: error.message, hint: error.hint };
  }
}

class Verification {
  readonly #env: Env;
  readonly #survey: Survey;
  readonly #stores: readonly Uint8Array[];
  readonly #state: SurveyedFile | undefined;
  readonly #files: (SegmentReport | StateReport)[] = [];
  readonly #missing: Problem[] = [];
  #until = 0;
  // The record that the next needed segment has to begin with.
  #next: number;
  #store: Uint8Array | undefined;
  #tornBytes = 0;

  constructor(env: Env, survey: Survey) {
    this.#env = env;
    this.#survey = survey;
    this.#stores = survey.stores.map(({ id }) => id);
    this.#state = survey.states.at(-1);
    this.#next = (this.#state?.named ?? 0) + 1;
    this.#store = this.#state?.header?.store;
  }

  get report(): Pick<WalReport, "files" | "problems" | "tornBytes" | "foreign"> {
    return {
      files: this.#files,
      problems: [...this.#files.flatMap(({ problems }) => problems), ...this.#missing],
      tornBytes: this.#tornBytes,
      foreign: this.#survey.foreign,
    };
  }

  async file(file: SurveyedFile): Promise<void> {
    this.#files.push(await (file.kind === "state" ? this.#stateFile(file) : this.#segment(file)));
  }

  async #stateFile(file: SurveyedFile): Promise<StateReport> {
    const found = await inspectState(this.#env, file, this.#stores);
    const needed = file === this.#state;
    if (needed) this.#until = found.until ?? 0;
    const problems = found.unreadable.map((each) => ({ path: file.path, ...each }));
    if (file.header !== undefined && file.header.number !== file.named) {
      problems.push({ path: file.path, offset: 8, bytes: 8, what: "state under a wrong name" });
    }
    const { replay, until, rows } = found;
    return { kind: "state", replay, until, rows, needed, problems, ...basicsOf(file) };
  }

  async #segment(file: SurveyedFile): Promise<SegmentReport> {
    const found = await inspectSegment(this.#env, file, this.#stores);
    const needed = file.named > (this.#state?.named ?? 0);
    const torn = needed ? this.#tornEnd(file, found) : undefined;
    const problems = [
      ...this.#headerProblems(file, needed, torn),
      ...problemsIn(file, found, torn),
    ];
    const { first } = found;
    const { records, rows } = torn ?? found;
    const next = torn?.due ?? found.next;
    if (needed) this.#next = next;
    const tornBytes = torn === undefined ? 0 : file.sizeBytes - torn.offset;
    this.#tornBytes += tornBytes;
    const counts = { first, last: next - 1, records, rows, tornBytes };
    return { kind: "segment", ...counts, needed, problems, ...basicsOf(file) };
  }

  /** The gap from which on the segment is what a crash may leave, if there is one. */
  #tornEnd(file: SurveyedFile, found: SegmentFindings): Gap | undefined {
    if (file !== this.#survey.segments.at(-1)) return undefined;
    const [gap] = found.gaps;
    if (file.header === undefined) {
      const begun = this.#state === undefined ? 0 : Math.max(this.#until, this.#state.named + 1);
      const isNew = file.named === this.#next && this.#next > begun;
      if (!isNew || file.sizeBytes > fileHeaderBytes) return undefined;
      return { ...emptyGap, end: file.sizeBytes, due: this.#next };
    }
    const isTorn = gap !== undefined && !gap.wasDurable && gap.due > this.#until;
    return isTorn ? gap : undefined;
  }

  #headerProblems(file: SurveyedFile, needed: boolean, torn: Gap | undefined): Problem[] {
    const { path, header, named } = file;
    if (header === undefined) {
      const bytes = Math.min(fileHeaderBytes, file.sizeBytes);
      const what = "unreadable segment header";
      return torn === undefined ? [{ path, offset: 0, bytes, what }] : [];
    }
    const problems: Problem[] = [];
    if (header.number !== named) {
      problems.push({ path, offset: 8, bytes: 8, what: "segment under a wrong name" });
    }
    if (!needed) return problems;
    this.#store ??= header.store;
    if (Buffer.compare(this.#store, header.store) !== 0) {
      problems.push({ path, offset: 16, bytes: 16, what: "the mark of another store" });
    }
    if (header.number !== this.#next) {
      const what = `record ${header.number} where ${this.#next} is due`;
      problems.push({ path, offset: 8, bytes: 8, what });
    }
    return problems;
  }

  /** What no file has: to be called after the last one. */
  end(): void {
    if (this.#state === undefined) return;
    const { log } = directoriesIn(this.#survey.path);
    const needed = this.#survey.segments.filter((file) => file.named > (this.#state?.named ?? 0));
    const last = needed.at(-1);
    if (last === undefined) {
      const path = `${log}/${segmentName(this.#state.named + 1)}`;
      this.#missing.push({ path, offset: 0, bytes: 0, what: "the segment is missing" });
    } else if (this.#next <= this.#until) {
      const what = `records ${this.#next} to ${this.#until} are missing`;
      this.#missing.push({ path: last.path, offset: last.sizeBytes, bytes: 0, what });
    }
  }
}

const emptyGap = { offset: 0, records: 0, rows: 0, wasDurable: false };

function basicsOf(file: SurveyedFile): Pick<StateReport, "path" | "version" | "bytes"> {
  const version = file.header === undefined ? undefined : formatVersion;
  return { path: file.path, version, bytes: file.sizeBytes };
}

function problemsIn(
  { path, header }: SurveyedFile,
  { gaps, malformed }: SegmentFindings,
  torn: Gap | undefined,
): Problem[] {
  const problems: Problem[] = [];
  for (const gap of gaps) {
    // The bytes of an unreadable header are told of as such.
    const offset = header === undefined ? Math.max(gap.offset, fileHeaderBytes) : gap.offset;
    const bytes = gap.end - offset;
    if (bytes > 0) problems.push({ path, offset, bytes, what: "unreadable frame" });
  }
  for (const each of malformed) problems.push({ path, ...each });
  return problems.filter(({ offset }) => torn === undefined || offset < torn.offset);
}
