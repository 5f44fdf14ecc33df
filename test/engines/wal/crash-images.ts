// Images: everything that a disk may hold after a crash at some moment of a life, and what a store
// that opens it has to find there.

import { crc32 } from "node:zlib";
import { seededRandom, virtualEnv } from "anykv/testing";
import { WalEngine, walDefaults } from "../../../src/engines/wal/wal-engine.js";
import { type CrashMode, crashed } from "../../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { engineContent, host, type Level, type Life, type Point, storePath } from "./crash-life.js";

/** `kill`: the process has ended and the system goes on, with everything unsynced still unsynced. */
export type Ending = CrashMode | { readonly kind: "kill" };

/** One way to end a life. */
export interface CrashPoint {
  readonly point: number;
  readonly ending: Ending;
  /** Names it among those of its life. */
  readonly label: string;
}

const seeded: readonly ((seed: number) => CrashMode)[] = [
  (seed) => ({ kind: "torn", cut: "sector", seed }),
  (seed) => ({ kind: "torn", cut: "byte", seed }),
  (seed) => ({ kind: "torn", cut: "byte", seed: seed + 1 }),
  (seed) => ({ kind: "pages", seed }),
  (seed) => ({ kind: "pages", seed: seed + 1 }),
  (seed) => ({ kind: "names", seed }),
  (seed) => ({ kind: "pages and names", seed }),
  (seed) => ({ kind: "pages and names", seed: seed + 1 }),
];

function endingsOf(unsynced: number, seed: number): Ending[] {
  if (unsynced === 0) return [{ kind: "everything" }];
  const prefixes = Array.from({ length: unsynced - 1 }, (_, index): Ending => {
    return { kind: "prefix", changes: index + 1 };
  });
  const whole: Ending[] = [{ kind: "nothing" }, { kind: "everything" }, { kind: "kill" }];
  return [...whole, ...prefixes, ...seeded.map((mode) => mode(seed))];
}

export function seedOf(text: string): number {
  return crc32(Buffer.from(text));
}

function labelOf(point: number, ending: Ending): string {
  const { kind, ...details } = ending;
  return [point, kind, ...Object.values(details)].join(" ");
}

/** Every way to end a life. */
export function crashPoints({ points }: Life, seed: number): CrashPoint[] {
  return points.flatMap(({ disk }, point) =>
    endingsOf(disk.unsynced().length, seedOf(`${seed} ${point}`)).map((ending) => {
      return { point, ending, label: labelOf(point, ending) };
    }),
  );
}

export function imageOf({ disk }: Point, ending: Ending): SimulatedDisk {
  return ending.kind === "kill" ? disk.clone() : crashed(disk, ending);
}

/** The same text for disks that no reader can tell apart. */
export function signatureOf(disk: SimulatedDisk): string {
  const names = [...disk.shownNames].map(([path, entry]) => {
    if (entry === "directory") return path;
    const bytes = disk.shown(entry);
    return `${path} ${bytes.length} ${crc32(bytes)}`;
  });
  return names.sort().join("\n");
}

function segmentSizes(disk: SimulatedDisk): Map<string, number> {
  const log = `${storePath}/wal`;
  const paths = disk.entry(log) === undefined ? [] : disk.list(log).map((name) => `${log}/${name}`);
  return new Map(paths.map((path) => [path, disk.shown(disk.entry(path) as number).length]));
}

/** Bytes by which files have been cut. */
function cutBytes(before: Map<string, number>, after: Map<string, number>): number {
  let cut = 0;
  for (const [path, size] of before) cut += Math.max(0, size - (after.get(path) ?? size));
  return cut;
}

function engineOptions(level: Level): Parameters<typeof WalEngine.open>[1] {
  return {
    ...walDefaults,
    path: storePath,
    trackKeys: false,
    syncWrites: level.syncWrites,
    flushIntervalMs: level.flushInterval,
    segmentBytesMax: level.segmentSize,
    snapshotBytesMin: level.snapshotEvery,
    packedBytesMin: level.compressionThreshold,
  };
}

/**
 * Opens what a crash has left; resolves with the last record that has come back.
 *
 * @throws Error when that is less or more than it may be, or not what it was.
 */
export async function reopen(
  image: SimulatedDisk,
  point: Point,
  ending: Ending,
  life: Life,
  level: Level,
): Promise<number> {
  const { written, durable, acknowledged, committed } = point.ledger;
  const owed = Math.max(durable, acknowledged, ending.kind === "kill" ? written : 0);
  const files = new SimulatedFiles({ disk: image.clone(), random: seededRandom(1) });
  const processes = host.start();
  try {
    const before = segmentSizes(image);
    const engine = await WalEngine.open(virtualEnv({ files, processes }), engineOptions(level));
    const { last } = engine;
    if (last < owed) throw new Error(`records ${last + 1} to ${owed} are lost`);
    if (last > committed) throw new Error(`record ${last} has come back, of ${committed}`);
    if (engineContent(engine) !== life.states.get(last)) {
      throw new Error(`record ${last} has come back with another content`);
    }
    const cut = cutBytes(before, segmentSizes(files.disk));
    const { tornBytes } = engine.recovered;
    if (cut !== tornBytes) throw new Error(`${cut} bytes were cut and ${tornBytes} reported`);
    return last;
  } finally {
    host.kill(processes);
  }
}
