// Fuzz subject: a directory in order, with everything that is known of it.

import { crc32 } from "node:zlib";
import { seededRandom } from "anykv/testing";
import { framesOf, headerBytes } from "./format-reading.js";
import { Model, type RecordedChanges, recordedHistory } from "./recorded-history.js";
import { type FileSet, writtenFiles } from "./wal-files.js";

/** What a store may hold. */
export class Original {
  readonly records: readonly RecordedChanges[];
  readonly #files: FileSet;
  readonly #store: string;
  /** Dumps, by the number of transactions. */
  readonly #prefixes = new Map<string, number>();
  readonly #rows = new Set<string>();

  constructor(records: readonly RecordedChanges[], files: FileSet) {
    this.records = records;
    this.#files = new Map(files);
    this.#store = storeIn([...files.values()][0] ?? Buffer.alloc(0)) ?? "";
    const model = new Model();
    this.#prefixes.set(model.dump, 0);
    for (const [index, changes] of records.entries()) {
      model.apply(changes);
      const { dump } = model;
      this.#prefixes.set(dump, index + 1);
      for (const row of dump.split("\n")) this.#rows.add(row);
    }
  }

  /** After how many transactions the store held this; undefined: never. */
  prefixOf(dump: string): number | undefined {
    return this.#prefixes.get(dump);
  }

  hadRow(row: string): boolean {
    return this.#rows.has(row);
  }

  /** The numbers of the transactions that lie where they lay, under a header as it was. */
  untouchedIn(files: FileSet): Set<number> {
    const numbers = new Set<number>();
    for (const [path, before] of this.#files) {
      const after = files.get(path);
      if (after === undefined || !path.endsWith(".log")) continue;
      if (!after.subarray(0, headerBytes).equals(before.subarray(0, headerBytes))) continue;
      for (const { offset, end, first, records } of framesOf(before)) {
        if (!after.subarray(offset, end).equals(before.subarray(offset, end))) continue;
        for (let number = first; number < first + records; number++) numbers.add(number);
      }
    }
    return numbers;
  }

  /** How many files are marked as this store's, less those of others: repair goes by that. */
  majorityIn(files: FileSet): number {
    const stores = [...files].flatMap(([path, bytes]) =>
      isOfKind(path, bytes) ? (storeIn(bytes) ?? []) : [],
    );
    const ours = stores.filter((store) => store === this.#store).length;
    return ours - (stores.length - ours);
  }
}

function isOfKind(path: string, bytes: Buffer): boolean {
  const magic = /\d{20}\.log$/.test(path) ? "AKVLOG" : "AKVSTA";
  return /\d{20}\.(log|state)$/.test(path) && bytes.toString("latin1", 0, 6) === magic;
}

/** The mark in a header that checks out. */
function storeIn(bytes: Buffer): string | undefined {
  if (bytes.length < 36 || crc32(bytes.subarray(0, 32)) !== bytes.readUInt32LE(32))
    return undefined;
  return bytes.toString("hex", 16, 32);
}

export interface Subject {
  readonly files: FileSet;
  readonly other: FileSet;
  readonly original: Original;
}

/** The same for the same seed. */
export async function subjectOf(seed: number): Promise<Subject> {
  const random = seededRandom(seed);
  const records = await recordedHistory(seed, 1 + random.below(100));
  const draw = () => ({
    seed,
    syncWrites: random.below(2) === 0,
    snapshots: random.below(6),
    keepsSuperseded: random.below(2) === 0,
  });
  const files = await writtenFiles(records, draw());
  const other = await writtenFiles(await recordedHistory(seed + 1, 40), draw());
  return { files, other, original: new Original(records, files) };
}

/** How many transactions no judgement may take away: what the files still prove beyond doubt. */
export function provenIn(files: FileSet, { files: before, original }: Subject): number {
  const isKept = (path: string): boolean =>
    before.get(path)?.equals(files.get(path) ?? Buffer.alloc(0)) === true;
  const last = [...before.keys()]
    .filter((path) => path.endsWith(".log"))
    .sort()
    .at(-1);
  if (last !== undefined && isKept(last)) return original.records.length;
  const state = [...before.keys()]
    .filter((path) => path.endsWith(".state"))
    .sort()
    .at(-1);
  if (state === undefined || !isKept(state)) return 0;
  return Number(before.get(state)?.readBigUInt64LE((before.get(state)?.length ?? 0) - 8));
}
