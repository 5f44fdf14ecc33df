// Recovery: from the files to the tables, believing only what docs/formats/wal.md allows.
//
//   newest state --> tables --> records after it, in order --> the position to write on
//
// Invariants
// 1. Nothing is changed before everything has been judged: a refused directory stays as it was.
// 2. What is changed then is what the format declares harmless: the torn end of the last segment
//    is cut, and a segment that was being created is removed.
// 3. What has been read is on the disk before anything is written behind it: a killed process may
//    have left bytes and names that only the system's memory holds.

import type { ChangeTarget } from "../../engine/changes.js";
import { type LogObserver, silentObserver } from "../../engine/log-events.js";
import type { Env } from "../../env/env.js";
import { ChangeDecoder, MalformedChanges } from "./change-codec.js";
import { type FileHeader, fileHeaderBytes } from "./file-header.js";
import { readWhole } from "./file-window.js";
import { type FoundFrame, framesFrom, replayFrame, wasDurable } from "./frames.js";
import { numberInName, segmentHeader } from "./log-format.js";
import { namesIn } from "./names-in.js";
import { damage, requireVersion } from "./open-errors.js";
import { RecoveryMeter } from "./recovery-meter.js";
import type { OpenSegment } from "./segment-file.js";
import { type FoundState, readState, stateNames } from "./state-reader.js";

// The program that opens the store has other things to do as well.
const sliceMs = 4;

export interface Recovery {
  readonly segment: OpenSegment | undefined;
  readonly next: number;
  readonly store: Uint8Array | undefined;
  /** Bytes of the log that the next state will make superfluous. */
  readonly logBytes: number;
  /** The state that was read, if there was one. */
  readonly state: FoundState | undefined;
  readonly report: RecoveryReport;
}

/** What opening found; part of `stats()`. */
export interface RecoveryReport {
  readonly stateRows: number;
  readonly records: number;
  /** Bytes of a write that was cut short, cut from the end of the log. */
  readonly tornBytes: number;
}

export interface Directories {
  readonly log: string;
  readonly states: string;
}

export function directoriesIn(path: string): Directories {
  return { log: `${path}/wal`, states: `${path}/last_state` };
}

/** What the replay of the log starts from. */
interface Base {
  readonly replay: number;
  /** The last record that is known to have been on the disk. */
  readonly until: number;
  /** Segments that begin up to here are known to have been there. */
  readonly begun: number;
  readonly store: Uint8Array | undefined;
}

function baseOf(state: FoundState | undefined): Base {
  if (state === undefined) return { replay: 0, until: 0, begun: 0, store: undefined };
  const { replay, until, store } = state;
  return { replay, until, begun: Math.max(until, replay + 1), store };
}

class Replay {
  readonly #env: Env;
  readonly #directory: string;
  readonly #target: ChangeTarget;
  readonly #meter: RecoveryMeter | undefined;
  readonly #until: number;
  readonly #begun: number;
  next: number;
  store: Uint8Array | undefined;
  records = 0;
  logBytes = 0;
  tornBytes = 0;
  open: OpenSegment | undefined;
  /** A segment that was being created when the process or the system ended. */
  unfinished: string | undefined;
  /** How much of a segment its frames know to be on the disk. */
  #provenBytes = 0;
  /** Where the last of its records ends. */
  #recordsEnd = fileHeaderBytes;
  /** What follows on that in the last segment, up to where it is believed. */
  #unproven: Buffer = Buffer.alloc(0);

  constructor(
    env: Env,
    directory: string,
    target: ChangeTarget,
    base: Base,
    meter: RecoveryMeter | undefined,
  ) {
    this.#env = env;
    this.#directory = directory;
    this.#target = target;
    this.#meter = meter;
    this.#until = base.until;
    this.#begun = base.begun;
    this.next = base.replay + 1;
    this.store = base.store;
  }

  async segments(names: readonly string[]): Promise<void> {
    for (const [index, name] of names.entries()) {
      await this.#segment(`${this.#directory}/${name}`, name, index === names.length - 1);
      await this.#env.timers.breathe();
    }
  }

  async #segment(path: string, name: string, isLast: boolean): Promise<void> {
    const bytes = await readWhole(this.#env.files, path);
    const header = segmentHeader.decode(bytes);
    if (header === undefined) {
      this.#leaveOut(path, name, bytes, isLast);
      return;
    }
    this.#checkHeader(path, name, header);
    const end = await this.#frames(path, bytes, header.origin);
    this.#meter?.fileDone(bytes.length);
    if (end < bytes.length) this.#judgeTail(path, bytes, end, isLast, header.origin);
    this.logBytes += end;
    if (!isLast) return;
    const recordsEnd = this.#recordsEnd;
    const claimedBytes = this.#provenBytes;
    this.open = { path, first: header.number, lengthBytes: end, recordsEnd, claimedBytes };
    this.#unproven = bytes.subarray(this.#provenBytes, end);
  }

  // A segment that is being created begins with the next record, and has no frames before its
  // header has been synced. It is removed, and created once more.
  #leaveOut(path: string, name: string, bytes: Buffer, isLast: boolean): void {
    const isNew = isLast && numberInName(name, ".log") === this.next && this.next > this.#begun;
    if (!isNew || bytes.length > fileHeaderBytes) damage(path, 0, "unreadable segment header");
    this.unfinished = path;
  }

  #checkHeader(path: string, name: string, header: FileHeader): void {
    requireVersion(path, header.version);
    this.store ??= header.store;
    if (Buffer.compare(this.store, header.store) !== 0) {
      damage(path, 16, "the mark of another store");
    }
    if (header.number !== numberInName(name, ".log")) damage(path, 8, "segment under a wrong name");
    if (header.number !== this.next) {
      damage(path, 8, `record ${header.number} where ${this.next} is due`);
    }
  }

  async #frames(path: string, bytes: Buffer, origin: number): Promise<number> {
    const decoder = new ChangeDecoder(bytes);
    let end = fileHeaderBytes;
    this.#provenBytes = 0;
    this.#recordsEnd = fileHeaderBytes;
    const { clock, timers } = this.#env;
    let sliceEnd = clock.monotonic() + sliceMs;
    for (const frame of framesFrom(bytes, end, origin)) {
      if (frame.first !== this.next) {
        damage(path, frame.offset, `record ${frame.first} where ${this.next} is due`);
      }
      this.#apply(path, bytes, frame, decoder);
      this.#provenBytes = frame.durable;
      end = frame.end;
      if (frame.records > 0) this.#recordsEnd = end;
      this.#meter?.segment(end, this.records);
      if (clock.monotonic() < sliceEnd) continue;
      await timers.breathe();
      sliceEnd = clock.monotonic() + sliceMs;
    }
    return end;
  }

  #apply(path: string, bytes: Buffer, frame: FoundFrame, decoder: ChangeDecoder): void {
    try {
      this.records += replayFrame(decoder, bytes, frame, this.next, this.#target);
    } catch (cause) {
      if (cause instanceof MalformedChanges) damage(path, frame.offset, cause.message, cause);
      throw cause;
    }
    this.next += frame.records;
  }

  #judgeTail(path: string, bytes: Buffer, end: number, isLast: boolean, origin: number): void {
    if (!isLast || this.next <= this.#until || wasDurable(bytes, end, origin)) {
      damage(path, end, "unreadable frame");
    }
    this.tornBytes = bytes.length - end;
  }

  /**
   * Changes what may be changed and makes sure of the rest; see the invariants above. What nothing
   * proves to be on the disk is written once more, over itself: after a sync has failed, the system
   * goes on to show bytes that it will never write, and a second sync has nothing to complain of.
   */
  async settle(): Promise<void> {
    const { files } = this.#env;
    if (this.unfinished !== undefined) await files.remove(this.unfinished);
    await files.syncDirectory(this.#directory);
    if (this.open === undefined) return;
    const file = await files.open(this.open.path, "write");
    try {
      if (this.tornBytes > 0) await file.truncate(this.open.lengthBytes);
      if (this.#unproven.length > 0) await file.write(this.#unproven, this.#provenBytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

// The segment after `replay` was begun before the state, and every later one follows it.
async function neededSegments(env: Env, { log }: Directories, replay: number): Promise<string[]> {
  const names = await segmentNames(env, log);
  return names.filter((name) => (numberInName(name, ".log") as number) > replay);
}

async function startMeter(
  env: Env,
  directories: Directories,
  observer: LogObserver,
): Promise<RecoveryMeter | undefined> {
  if (!observer.active) return undefined;
  const state = (await stateNames(env, directories.states)).at(-1);
  const replay = state === undefined ? 0 : (numberInName(state, ".state") as number);
  const segments = await neededSegments(env, directories, replay);
  const paths = segments.map((name) => `${directories.log}/${name}`);
  if (state !== undefined) paths.push(`${directories.states}/${state}`);
  return RecoveryMeter.start(env, observer, paths);
}

async function replayLog(
  env: Env,
  directories: Directories,
  state: FoundState | undefined,
  target: ChangeTarget,
  meter?: RecoveryMeter,
): Promise<Replay> {
  const base = baseOf(state);
  const needed = await neededSegments(env, directories, base.replay);
  if (state !== undefined && needed.length === 0) {
    damage(state.path, 8, `the segment of record ${state.replay + 1} is missing: state`);
  }
  const run = new Replay(env, directories.log, target, base, meter);
  await run.segments(needed);
  if (run.next <= base.until) {
    const { path, lengthBytes } = run.open ?? { path: directories.log, lengthBytes: 0 };
    damage(path, lengthBytes, `records ${run.next} to ${base.until} are missing`);
  }
  return run;
}

function recoveryOf(state: FoundState | undefined, run: Replay): Recovery {
  const report = { stateRows: state?.rows ?? 0, records: run.records, tornBytes: run.tornBytes };
  const { open: segment, next, store, logBytes } = run;
  return { segment, next, store, logBytes, state, report };
}

/** Fills the tables from the files; the observer is told of the progress. */
export async function recover(
  env: Env,
  directories: Directories,
  target: ChangeTarget,
  observer: LogObserver = silentObserver,
): Promise<Recovery> {
  const meter = await startMeter(env, directories, observer);
  const state = await readState(env, directories.states, target, meter);
  const run = await replayLog(env, directories, state, target, meter);
  await run.settle();
  await env.files.syncDirectory(directories.states);
  meter?.end();
  return recoveryOf(state, run);
}

/** What `recover` would find, with nothing changed. */
export async function examine(
  env: Env,
  directories: Directories,
  target: ChangeTarget,
): Promise<Recovery> {
  const state = await readState(env, directories.states, target);
  return recoveryOf(state, await replayLog(env, directories, state, target));
}

export async function segmentNames(env: Env, directory: string): Promise<string[]> {
  const names = await namesIn(env, directory);
  return names.filter((name) => numberInName(name, ".log") !== undefined);
}
