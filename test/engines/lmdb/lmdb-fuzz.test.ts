// Fuzzing of files: seeded damage to the pages of a store, in a process that it may end.
// ANYKV_FUZZ_CASES sets the number of cases, ANYKV_SEED where they begin: the number in a failure's
// message with ANYKV_FUZZ_CASES=1 repeats it.
//
// There are no checksums in the file. So another byte in a value or a key is a fact that nobody can
// doubt, and opening a file does not look at its pages: LMDB may end a process that reads damaged
// ones. What holds in spite of that
// 1. Verifying and repairing end no process, and verifying changes nothing.
// 2. A file in which verifying finds nothing opens, and reading it ends no process.
// 3. A repaired file is in order, and has no rows but those of the original, except as many as there
//    are damaged bytes or pages.

import { readFileSync, writeFileSync } from "node:fs";
import { seededRandom } from "anykv/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { type Answer, Probe } from "./probe.js";
import { type Sample, Scratch, sampleFile } from "./sample-store.js";

const cases = Number(process.env.ANYKV_FUZZ_CASES ?? 100);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);

let compiled: CompiledPackage;
let sample: Sample;
beforeAll(async () => {
  compiled = await compilePackage();
  sample = await sampleFile(3, 30, 100);
});
afterAll(() => compiled.remove());

type SeededRandom = ReturnType<typeof seededRandom>;

/** Damages a copy of the sample; returns how many rows of it may be others than before. */
type Damage = (bytes: Buffer, random: SeededRandom) => number;

/** A page that is, or was, in use. */
function pageAt(random: SeededRandom, bytes: Buffer): number {
  const { pageBytes } = sample.header;
  for (;;) {
    const page = 2 + random.below(bytes.length / pageBytes - 2);
    if (bytes.readUInt32LE(page * pageBytes) === page) return page * pageBytes;
  }
}

function flip(bytes: Buffer, at: number, random: SeededRandom): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
}

const damages: Readonly<Record<string, Damage>> = {
  "flipped bits anywhere": (bytes, random) => {
    const flips = 1 + random.below(20);
    for (let done = 0; done < flips; done++) {
      flip(bytes, 2 * sample.header.pageBytes + random.below(bytes.length - 8_192), random);
    }
    return flips;
  },
  "a flipped bit in the head of a page": (bytes, random) => {
    flip(bytes, pageAt(random, bytes) + random.below(24), random);
    return 1;
  },
  "flipped bits in pointers and nodes": (bytes, random) => {
    const page = pageAt(random, bytes);
    for (let flips = 0; flips < 4; flips++) flip(bytes, page + 24 + random.below(100), random);
    return 4;
  },
  "a flipped bit in a header": (bytes, random) => {
    const at = random.below(2) * sample.header.pageBytes + random.below(168);
    flip(bytes, at, random);
    // Of two states that are both whole, the one before may seem to be the newest.
    return Number.POSITIVE_INFINITY;
  },
  "a page of noise": (bytes, random) => {
    const page = pageAt(random, bytes);
    for (let at = page; at < page + 4_096; at++) bytes[at] = random.below(256);
    return 1;
  },
  "a page of zeros": (bytes, random) => {
    const page = pageAt(random, bytes);
    bytes.fill(0, page, page + sample.header.pageBytes);
    return 1;
  },
  "a page over another": (bytes, random) => {
    const from = pageAt(random, bytes);
    bytes.copyWithin(pageAt(random, bytes), from, from + sample.header.pageBytes);
    return 1;
  },
};

/** Keys and values as text, one for each. */
function rowsOf({ result }: Answer): Set<string> {
  const { values, arrays } = result as { values: object[]; arrays: unknown[] };
  return new Set([...values, ...arrays].map((row) => JSON.stringify(row)));
}

const typed = /^(DiskStoreOpenError|DiskPathError|BucketNotFoundError)$/;

class Case {
  readonly #probe: Probe;
  readonly #path: string;
  readonly #original: Set<string>;

  constructor(probe: Probe, path: string, original: Set<string>) {
    this.#probe = probe;
    this.#path = path;
    this.#original = original;
  }

  /** Runs one case and says how it ended. */
  async run(damaged: Buffer, othersMax: number): Promise<string> {
    writeFileSync(this.#path, damaged);
    const verified = await this.#ask("verify");
    expect(readFileSync(this.#path).equals(damaged)).toBe(true);
    if (verified.name !== "none") return this.#refused(verified);
    const { problems } = verified.result as { problems: unknown[] };
    if (problems.length === 0) {
      this.#compare(await this.#ask("read", true), othersMax);
      return "undamaged";
    }
    return this.#repaired(othersMax);
  }

  async #refused(verified: Answer): Promise<string> {
    expect(verified.name, verified.message).toMatch(typed);
    for (const readOnly of [true, false]) {
      const read = await this.#ask("read", readOnly);
      expect(read.name, read.message).toMatch(typed);
    }
    return "refused";
  }

  async #repaired(othersMax: number): Promise<string> {
    const repaired = await this.#ask("repair");
    if (repaired.name !== "none") {
      expect(repaired.name, repaired.message).toMatch(typed);
      return "beyond repair";
    }
    expect((await this.#ask("verify")).result).toMatchObject({ problems: [] });
    this.#compare(await this.#ask("read", true), othersMax);
    return (repaired.result as { kept?: string }).kept === undefined ? "mended" : "salvaged";
  }

  /** A value that is no JSON any more is an error, too. */
  #compare(read: Answer, othersMax: number): void {
    if (read.name === "SerializerError") return;
    expect(read.name, read.message).toBe("none");
    const others = [...rowsOf(read)].filter((row) => !this.#original.has(row));
    // A list counts as one row, whatever is damaged in it.
    expect(others.length, others.slice(0, 3).join()).toBeLessThanOrEqual(othersMax + 20);
  }

  #ask(action: "verify" | "repair" | "read", readOnly = false): Promise<Answer> {
    return this.#probe.ask({ path: this.#path, action, disk: { readOnly } });
  }
}

test(`${cases} damaged files`, { timeout: 60_000 + 3_000 * cases }, async () => {
  using scratch = new Scratch();
  const probe = new Probe(compiled);
  const whole = scratch.file("whole");
  writeFileSync(whole, sample.bytes);
  const original = rowsOf(await probe.ask({ path: whole, action: "read" }));
  const outcomes = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const random = seededRandom(seed);
    const names = Object.keys(damages);
    const name = names[random.below(names.length)] as string;
    const bytes = Buffer.from(sample.bytes);
    const othersMax = (damages[name] as Damage)(bytes, random);
    try {
      const subject = new Case(probe, scratch.file(`store-${seed}`), original);
      const outcome = await subject.run(bytes, othersMax);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (cause) {
      const repeat = `ANYKV_SEED=${seed} ANYKV_FUZZ_CASES=1 npx vitest run test/engines/lmdb/lmdb-fuzz`;
      throw new Error(`case ${seed} (${name}): ${repeat}`, { cause });
    }
  }
  probe.end();
  console.info(`fuzzing: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(cases);
});
