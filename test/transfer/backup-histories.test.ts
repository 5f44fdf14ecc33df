// Backups among writers: random operations before, during and after a backup, drawn from a seed. A
// restore brings what a store showed when the backup was called, on every backend.
//
// ANYKV_SEED begins elsewhere, ANYKV_HISTORIES sets how many there are for each backend.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { seededRandom } from "anykv/testing";
import { afterAll, expect, test } from "vitest";

const { ANYKV_SEED, ANYKV_HISTORIES } = process.env;
const firstSeed = Number(ANYKV_SEED ?? 1);
const histories = Number(ANYKV_HISTORIES ?? 3);
const seeds = Array.from({ length: histories }, (_, index) => firstSeed + index);

const directory = mkdtempSync(join(tmpdir(), "anykv-histories-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const keys = 4_000;
const arrays = 40;
let stores = 0;

function open(options: OpenKvOptions): Kv {
  return openKv({ name: `history ${++stores}`, path: join(directory, `${stores}`), ...options });
}

async function fill(kv: Kv): Promise<void> {
  const entries = Array.from({ length: keys }, (_, index) => [`k${index}`, `first ${index}`]);
  await kv.setMany(Object.fromEntries(entries));
  for (let array = 0; array < arrays; array++) {
    await kv.append(`a${array}`, "first");
    await kv.append(`a${array}`, "second");
  }
}

class Writer {
  readonly #kv: Kv;
  readonly #random: ReturnType<typeof seededRandom>;
  #writes = 0;

  constructor(kv: Kv, seed: number) {
    this.#kv = kv;
    this.#random = seededRandom(seed);
  }

  #key(): string {
    return `k${this.#random.below(keys + 50)}`;
  }

  next(): Promise<unknown> {
    const kv = this.#kv;
    const value = `value ${++this.#writes}`;
    const array = `a${this.#random.below(arrays + 5)}`;
    const choices: (() => Promise<unknown>)[] = [
      () => kv.set(this.#key(), value),
      () => kv.delete(this.#key()),
      () => kv.swap(this.#key(), value),
      () => kv.setMany({ [this.#key()]: value, [this.#key()]: value, fresh: value }),
      () => kv.deleteMany([this.#key(), this.#key(), this.#key()]),
      () => kv.claimKey(this.#key()),
      () => kv.popRandom(),
      () => kv.append(array, value),
      () => kv.prepend(array, value),
      () => kv.popFirst(array),
      () => kv.deleteArray(array),
      () => kv.filter("seen").add(value),
      // Taken back: nothing of it may be seen.
      () => kv.set(this.#key(), value, { claim: { id: "claim-9", key: "k1", token: 9 } }),
      () => kv.incrementBy("k2", 1),
    ];
    if (this.#random.below(400) === 0) return kv.clear();
    return (choices[this.#random.below(choices.length)] as () => Promise<unknown>)().catch(
      () => {},
    );
  }

  async pause(): Promise<void> {
    const kind = this.#random.below(4);
    if (kind === 0) await new Promise(setImmediate);
    else for (let turns = this.#random.below(9); turns > 0; turns--) await null;
  }
}

/** Everything that can be seen, as text. */
async function contentOf(kv: Kv): Promise<string[]> {
  const lines = (await kv.list()).map(({ key, value }) => `${key} = ${value}`);
  for (const array of await kv.listArrays()) {
    lines.push(`${array} = [${(await kv.range(array)).join()}]`);
  }
  lines.push(`seen: ${await kv.filter("seen").size()}`);
  return lines;
}

async function play(options: OpenKvOptions, seed: number): Promise<void> {
  const kv = open(options);
  const other = open({ backend: "memory" });
  try {
    await fill(kv);
    const writer = new Writer(kv, seed);
    for (let write = 0; write < 200; write++) await writer.next();
    const before = await contentOf(kv);
    const fileName = join(directory, `backup ${seed}`);
    let isDone = false;
    const backup = kv.backup({ fileName }).finally(() => {
      isDone = true;
    });
    backup.catch(() => {});
    const writes: Promise<unknown>[] = [];
    while (!isDone) {
      writes.push(writer.next());
      await writer.pause();
    }
    await Promise.all(writes);
    const { totalEntries } = await backup;
    await other.restore({ fileName, maxEntries: totalEntries });
    expect(await contentOf(other)).toEqual(before);
    expect(writes.length).toBeGreaterThan(20);
  } finally {
    await Promise.all([kv.close(), other.close()]);
  }
}

const backends: [name: string, options: OpenKvOptions][] = [
  ["memory", { backend: "memory" }],
  ["memory with keys tracked", { backend: "memory", trackKeys: true }],
  ["wal", { backend: "wal", wal: { snapshotEvery: 4_096 } }],
  ["wal, syncWrites", { backend: "wal", wal: { syncWrites: true } }],
  ["disk", { backend: "disk" }],
];

for (const [name, options] of backends) {
  test.each(seeds)(
    `a backup of ${name} among writers is of the moment of its call, seed %i`,
    (seed) => play(options, seed),
  );
}
