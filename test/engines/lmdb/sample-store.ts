// Stores to damage: a file with rows of every kind, trees of several levels, values in pages of
// their own, and free pages in between.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { seededRandom } from "anykv/testing";
import { type FileHeader, parseHeader } from "../../../src/engines/lmdb/file-header.js";
import { nodeEnv } from "../../../src/env/env.js";

let names = 0;

export function openDisk(path: string, more: object = {}): Kv {
  return openKv({ name: `sample-${++names}`, backend: "disk", path, ...more });
}

/** A directory that is removed when the test is done. */
export class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "anykv-lmdb-"));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Changes of all kinds; the same for the same seed, if the store's random numbers are, too. */
export async function fill(kv: Kv, seed: number, rounds = 12, keys = 300): Promise<void> {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const calls: Promise<unknown>[] = [];
    for (let call = 0; call < keys; call++) calls.push(change(kv, random, keys));
    await Promise.all(calls);
  }
}

function change(kv: Kv, random: ReturnType<typeof seededRandom>, keys: number): Promise<unknown> {
  const key = `key:${random.below(keys * 4)}`;
  const filling = "x".repeat(random.below(30));
  const kinds: (() => Promise<unknown>)[] = [
    () => kv.set(key, { key, filling }),
    () => kv.set(key, { key, filling }),
    () => kv.set(key, filling, { ttl: 3_600_000 + random.below(1_000) }),
    () => kv.delete(key),
    () => kv.append(`list:${random.below(20)}`, filling),
    () => kv.claimRandom({ ttl: 3_600_000 }),
    () => kv.incrementBy(`counter:${random.below(5)}`, 1),
    () => kv.set(`large:${random.below(4)}`, "y".repeat(3_000 + random.below(30_000))),
    () => kv.deleteArray(`list:${random.below(20)}`),
  ];
  return (kinds[random.below(kinds.length)] as () => Promise<unknown>)();
}

export interface Sample {
  readonly bytes: Buffer;
  readonly header: FileHeader;
}

/** Leases and expiries end in a time that no test will see. */
const year2100 = Date.UTC(2100);

/** The file of a store that has been closed: the same bytes for the same arguments. */
export async function sampleFile(seed: number, rounds?: number, keys?: number): Promise<Sample> {
  using scratch = new Scratch();
  const path = scratch.file("store");
  const clock = { now: () => year2100, monotonic: () => performance.now() };
  const env = { ...nodeEnv, clock, random: seededRandom(seed) };
  const kv = openDisk(path, { env });
  await fill(kv, seed, rounds, keys);
  await kv.close();
  const bytes = readFileSync(path);
  return { bytes, header: parseHeader(bytes) as FileHeader };
}
