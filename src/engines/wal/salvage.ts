// Salvage: every row that the checksums prove, from files that do not open.
//
//   newest complete state --> records after it, in order --> rows
//                              ^ where records are missing: the readable blocks of the damaged
//                                state that held them, then on with the records after that state
//
// Invariants
// 1. Nothing is changed on the disk.
// 2. Records are applied in the order of their numbers, each at most once.
// 3. Whatever number is not applied, and may have been given to a record, is in `lostRecords`.
// 4. Only files of one store are read, the one to which most files belong.

import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { MemoryEngine } from "../memory/memory-engine.js";
import { ChangeDecoder } from "./change-codec.js";
import { type FoundFrame, replayFrame } from "./frames.js";
import { inspectSegment } from "./inspect-segment.js";
import { inspectState, type StateFindings } from "./inspect-state.js";
import { SalvagedRows } from "./salvaged-rows.js";
import type { Survey, SurveyedFile } from "./survey.js";
import type { LostRecords, LostRows, Progress, WalReport } from "./wal-report.js";

export interface Salvage {
  readonly rows: SalvagedRows;
  readonly store: Uint8Array | undefined;
  /** No record has had a higher number, as far as anything tells. */
  readonly highest: number;
  readonly lostRecords: readonly LostRecords[];
  readonly lostRows: readonly LostRows[];
}

interface JudgedState {
  readonly file: SurveyedFile;
  readonly found: StateFindings;
}

/** `verified` is what `verifyWal` says of the same files. O(bytes), in memory as large as the data. */
export async function salvage(
  env: Env,
  survey: Survey,
  verified: WalReport,
  onProgress: (progress: Progress) => void,
): Promise<Salvage> {
  const run = new Salvager(env, survey, verified);
  const { segments } = run;
  await run.states();
  for (const [filesDone, copies] of segments.entries()) {
    const [{ path }] = copies;
    onProgress({ step: "salvage", path, filesDone, files: segments.length });
    await run.segment(copies);
    await env.timers.breathe();
  }
  await run.end();
  return run;
}

/** @throws DiskStoreOpenError when no store has more files than all others together. */
function storeOf({ path, stores }: Survey): Uint8Array | undefined {
  const [most, ...others] = stores;
  const otherFiles = others.flatMap(({ files }) => files);
  if (most === undefined || most.files.length > otherFiles.length) return most?.id;
  throw new DiskStoreOpenError(
    `${path} has the files of several stores: ${most.files.join(", ")} of one, ` +
      `${otherFiles.join(", ")} of others`,
    { hint: "move the files that do not belong here elsewhere, then repair again" },
  );
}

/** Files of one segment: what is damaged in one may be whole in another. */
type Copies = readonly [SurveyedFile, ...SurveyedFile[]];

function copiesOf(files: readonly SurveyedFile[]): Copies[] {
  const byNumber = new Map<number, [SurveyedFile, ...SurveyedFile[]]>();
  for (const file of files) {
    const copies = byNumber.get(numberOf(file));
    if (copies === undefined) byNumber.set(numberOf(file), [file]);
    else copies.push(file);
  }
  return [...byNumber.values()].sort(([a], [b]) => numberOf(a) - numberOf(b));
}

function numberOf(file: SurveyedFile): number {
  return file.header?.number ?? file.named;
}

class Salvager implements Salvage {
  readonly rows: SalvagedRows;
  readonly store: Uint8Array | undefined;
  /** In the order of their first records. */
  readonly segments: readonly Copies[];
  readonly lostRecords: LostRecords[] = [];
  readonly lostRows: LostRows[] = [];
  readonly #env: Env;
  readonly #survey: Survey;
  readonly #tornBytes: ReadonlyMap<string, number>;
  readonly #faulty: ReadonlySet<string>;
  // Damaged states newer than the complete one, oldest first.
  #damaged: JudgedState[] = [];
  // The state that was read last.
  #read = { path: "", until: 0 };
  // Records up to this one are accounted for.
  #position = 0;
  #highest = 0;
  #newestState = 0;
  // Whether the log goes on, or went on, where nothing can be read.
  #endIsOpen = false;

  constructor(env: Env, survey: Survey, verified: WalReport) {
    this.#env = env;
    this.#survey = survey;
    this.rows = new SalvagedRows(new MemoryEngine(env, { trackKeys: false }));
    this.store = storeOf(survey);
    this.segments = copiesOf(survey.segments.filter((file) => this.#isOurs(file)));
    this.#tornBytes = new Map(
      verified.files.map((file) => [file.path, file.kind === "segment" ? file.tornBytes : 0]),
    );
    this.#faulty = new Set(verified.problems.map((problem) => problem.path));
  }

  get highest(): number {
    return Math.max(this.#highest, this.#position);
  }

  #isOurs({ header }: SurveyedFile): boolean {
    return (
      header === undefined ||
      this.store === undefined ||
      Buffer.compare(header.store, this.store) === 0
    );
  }

  get #stores(): Uint8Array[] {
    return this.store === undefined ? [] : [this.store];
  }

  /** Reads the newest complete state, and remembers the damaged ones after it. */
  async states(): Promise<void> {
    const judged: JudgedState[] = [];
    for (const file of this.#survey.states) {
      this.#highest = Math.max(this.#highest, file.named);
      if (!this.#isOurs(file)) continue;
      const found = await inspectState(this.#env, file, this.#stores);
      this.#highest = Math.max(this.#highest, found.replay, found.until ?? 0);
      this.#newestState = Math.max(this.#newestState, found.replay);
      judged.push({ file, found });
    }
    judged.sort((a, b) => a.found.replay - b.found.replay);
    const complete = judged.findLastIndex(({ found }) => found.isComplete);
    this.#damaged = judged.slice(complete + 1);
    const base = judged[complete];
    if (base === undefined) return;
    await this.#readState(base.file, base.found.until);
    this.#position = base.found.replay;
  }

  async #readState(file: SurveyedFile, until = 0): Promise<void> {
    this.#read = { path: file.path, until };
    await inspectState(this.#env, file, this.#stores, (raw) => {
      new ChangeDecoder(raw).decode(0, raw.length, this.rows);
    });
  }

  async segment(copies: Copies): Promise<void> {
    const first = numberOf(copies[0]);
    await this.#standIns(first);
    this.#highest = Math.max(this.#highest, first - 1);
    const frames: { bytes: Buffer; frame: FoundFrame }[] = [];
    let endIsOpen = true;
    for (const file of copies) {
      const tornBytes = this.#tornBytes.get(file.path) ?? 0;
      const end = file.sizeBytes - tornBytes;
      const found = await inspectSegment(this.#env, file, this.#stores, (bytes, frame) => {
        if (frame.offset < end) frames.push({ bytes, frame });
      });
      const hasEnd = found.gaps.at(-1)?.end !== file.sizeBytes || tornBytes > 0;
      if (hasEnd && found.malformed.length === 0) endIsOpen = false;
    }
    this.#endIsOpen = endIsOpen;
    frames.sort((a, b) => a.frame.first - b.frame.first);
    for (const { bytes, frame } of frames) this.#frame(bytes, frame);
  }

  #frame(bytes: Buffer, frame: FoundFrame): void {
    const last = frame.first + frame.records - 1;
    if (last <= this.#position) return;
    if (frame.first > this.#position + 1) this.#lose(frame.first - 1);
    replayFrame(new ChangeDecoder(bytes), bytes, frame, this.#position + 1, this.rows);
    this.#position = last;
  }

  /** Damaged states that hold what the log before `next` does not. */
  async #standIns(next: number): Promise<void> {
    for (let state = this.#damaged[0]; state !== undefined; state = this.#damaged[0]) {
      const { file, found } = state;
      if (found.replay >= next) return;
      this.#damaged.shift();
      if (found.replay <= this.#position) continue;
      this.#lose(found.replay, found.rows > 0 ? file.path : undefined);
      await this.#readState(file, found.until);
      const { rows, rowsWritten } = found;
      const lost = rowsWritten === undefined ? undefined : Math.max(0, rowsWritten - rows);
      this.lostRows.push({ path: file.path, rows: lost });
    }
  }

  /** What comes after `replay` may be in a state in part, up to its `until`. */
  get #partlyRead(): string | undefined {
    return this.#position < this.#read.until ? this.#read.path : undefined;
  }

  #lose(last: number, stateRead = this.#partlyRead): void {
    this.lostRecords.push({ first: this.#position + 1, last, stateRead });
    this.#position = last;
    this.rows.beginGeneration();
  }

  async end(): Promise<void> {
    await this.#standIns(Number.POSITIVE_INFINITY);
    const names = this.#survey.segments.map((file) => file.named);
    this.#highest = Math.max(this.#highest, ...names.map((named) => named - 1));
    // The segment after a state was begun before it.
    const isMissing = !names.some((named) => named > this.#newestState);
    if (this.#endIsOpen || isMissing || this.#isCutOff()) {
      const stateRead = this.#partlyRead;
      this.lostRecords.push({ first: this.#position + 1, last: undefined, stateRead });
      this.rows.beginGeneration();
    } else if (this.#highest > this.#position) {
      this.#lose(this.#highest);
    }
  }

  /** Whether a segment lies behind the last record of which nothing is known. */
  #isCutOff(): boolean {
    return this.#survey.segments.some((file) => {
      const isIntact = file.header?.number === file.named && this.#isOurs(file);
      return file.named > this.#position && !isIntact && this.#faulty.has(file.path);
    });
  }
}
