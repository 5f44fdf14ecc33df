// Recovery: from the files to the tables, believing only what docs/formats/wal.md allows.
//
//   newest state --> tables --> records after it, in order --> the position to write on
//
// It reads; the only things it changes are what the format declares harmless: the torn end of the
// last segment is cut, an unfinished state and a segment that was being created are removed, and
// what is covered by the state is cleaned away.

import { DiskStoreOpenError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import type { Env } from "../../env/env.js";
import { ChangeDecoder, forEachRecord, MalformedChanges } from "./change-codec.js";
import {
  decodeFrame,
  decodeSegmentHeader,
  formatVersion,
  frameHeaderBytes,
  frameMagic,
  numberInName,
  segmentHeaderBytes,
} from "./log-format.js";
import type { OpenSegment } from "./log-writer.js";
import { readState } from "./state-reader.js";

export interface Recovery {
  readonly segment: OpenSegment | undefined;
  readonly next: number;
  readonly store: Uint8Array | undefined;
  readonly report: RecoveryReport;
}

/** What opening found; part of `stats()`. */
export interface RecoveryReport {
  readonly stateRows: number;
  readonly records: number;
  /** Bytes of a write that nobody was told about, cut from the end of the log. */
  readonly tornBytes: number;
}

export interface Directories {
  readonly log: string;
  readonly states: string;
}

/** Bytes that were durable once and are wrong now. */
export function damage(path: string, offset: number, what: string, cause?: unknown): never {
  throw new DiskStoreOpenError(`${what} at byte ${offset} of ${path}`, {
    cause,
    hint: "run `anykv verify PATH` to see the extent, `anykv repair PATH` to keep what checks out",
  });
}

export interface FoundFrame {
  readonly offset: number;
  readonly end: number;
  readonly first: number;
  readonly records: number;
  readonly durable: number;
}

/** The whole, checked frames from `offset` on, up to the first that does not check out. */
export function* framesFrom(bytes: Buffer, start: number): Generator<FoundFrame> {
  for (let offset = start; ; ) {
    const frame = decodeFrame(bytes, offset);
    if (frame === undefined) return;
    const end = offset + frameHeaderBytes + frame.length;
    yield { offset, end, first: frame.first, records: frame.records, durable: frame.durable };
    offset = end;
  }
}

/** The next place at or after `offset` where a checked frame lies, or -1. */
export function findFrame(bytes: Buffer, offset: number): number {
  let at = bytes.indexOf(frameMagic, offset);
  while (at >= 0 && decodeFrame(bytes, at) === undefined) at = bytes.indexOf(frameMagic, at + 1);
  return at;
}

/** Whether a later frame proves that the bytes at `offset` were on the disk once. */
export function wasDurable(bytes: Buffer, offset: number): boolean {
  for (let at = findFrame(bytes, offset); at >= 0; at = findFrame(bytes, at + 1)) {
    const frame = decodeFrame(bytes, at);
    if (frame !== undefined && frame.durable > offset) return true;
  }
  return false;
}

class Replay {
  readonly #env: Env;
  readonly #directory: string;
  readonly #target: ChangeTarget;
  readonly #onProgress: (records: number) => void;
  next: number;
  store: Uint8Array | undefined;
  records = 0;
  tornBytes = 0;
  open: OpenSegment | undefined;

  constructor(
    env: Env,
    directory: string,
    target: ChangeTarget,
    from: { next: number; store: Uint8Array | undefined },
    onProgress: (records: number) => void,
  ) {
    this.#env = env;
    this.#directory = directory;
    this.#target = target;
    this.#onProgress = onProgress;
    this.next = from.next;
    this.store = from.store;
  }

  async segments(names: readonly string[]): Promise<void> {
    for (const [index, name] of names.entries()) {
      await this.#segment(`${this.#directory}/${name}`, name, index === names.length - 1);
      this.#onProgress(this.records);
      await this.#env.timers.breathe();
    }
  }

  async #segment(path: string, name: string, isLast: boolean): Promise<void> {
    const bytes = Buffer.from(await this.#env.files.readAll(path));
    const header = decodeSegmentHeader(bytes);
    if (header === undefined) {
      if (!isLast || findFrame(bytes, 0) >= 0) damage(path, 0, "unreadable segment header");
      await this.#env.files.remove(path);
      await this.#env.files.syncDirectory(this.#directory);
      return;
    }
    this.#checkHeader(path, name, header);
    const end = this.#frames(path, bytes);
    if (end < bytes.length) await this.#tail(path, bytes, end, isLast);
    if (isLast) this.open = { path, first: header.first, lengthBytes: end };
  }

  #checkHeader(
    path: string,
    name: string,
    header: { version: number; first: number; store: Uint8Array },
  ): void {
    if (header.version !== formatVersion) {
      throw new DiskStoreOpenError(
        `${path} has format version ${header.version}, not ${formatVersion}`,
        {
          hint: "open it with the version of anykv that wrote it",
        },
      );
    }
    this.store ??= header.store;
    if (Buffer.compare(this.store, header.store) !== 0)
      damage(path, 16, "segment of another store");
    if (header.first !== numberInName(name, ".log")) damage(path, 8, "segment under a wrong name");
    if (header.first > this.next)
      damage(path, 8, `records ${this.next} to ${header.first - 1} are missing before the segment`);
  }

  #frames(path: string, bytes: Buffer): number {
    let end = segmentHeaderBytes;
    for (const frame of framesFrom(bytes, end)) {
      if (frame.first > this.next) damage(path, frame.offset, "a gap in the sequence numbers");
      this.#apply(path, bytes, frame);
      end = frame.end;
    }
    return end;
  }

  #apply(path: string, bytes: Buffer, frame: FoundFrame): void {
    const decoder = new ChangeDecoder(bytes);
    let sequence = frame.first;
    try {
      const start = frame.offset + frameHeaderBytes;
      const records = forEachRecord(bytes, start, frame.end, (from, to) => {
        if (sequence++ < this.next) return;
        decoder.decode(from, to, this.#target);
        this.records++;
      });
      if (records !== frame.records) throw new MalformedChanges("the number of records is wrong");
    } catch (cause) {
      if (cause instanceof MalformedChanges) damage(path, frame.offset, cause.message, cause);
      throw cause;
    }
    this.next = Math.max(this.next, sequence);
  }

  async #tail(path: string, bytes: Buffer, end: number, isLast: boolean): Promise<void> {
    if (!isLast || wasDurable(bytes, end)) damage(path, end, "unreadable frame");
    this.tornBytes = bytes.length - end;
    const file = await this.#env.files.open(path, "write");
    try {
      await file.truncate(end);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Fills the tables from the files; `onProgress` is told how many records have been replayed. */
export async function recover(
  env: Env,
  directories: Directories,
  target: ChangeTarget,
  onProgress: (records: number) => void = () => {},
): Promise<Recovery> {
  const state = await readState(env, directories.states, target);
  const replay = state?.replay ?? 0;
  const names = await segmentNames(env, directories.log);
  const needed = names.filter((_, index) => {
    const following = names[index + 1];
    return following === undefined || (numberInName(following, ".log") as number) > replay + 1;
  });
  const from = { next: replay + 1, store: state?.store };
  const run = new Replay(env, directories.log, target, from, onProgress);
  await run.segments(needed);
  if (state !== undefined && run.next <= state.until) {
    damage(
      directories.log,
      0,
      `the log ends at record ${run.next - 1}, before the state's ${state.until},`,
    );
  }
  const report = { stateRows: state?.rows ?? 0, records: run.records, tornBytes: run.tornBytes };
  return { segment: run.open, next: run.next, store: run.store, report };
}

export async function segmentNames(env: Env, directory: string): Promise<string[]> {
  const names = await env.files.list(directory);
  return names.filter((name) => numberInName(name, ".log") !== undefined);
}
