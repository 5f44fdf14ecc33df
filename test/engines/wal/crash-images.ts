// Images: everything that a disk may hold after a crash at some moment of a life, and what a store
// that opens it has to find there.

import { crc32 } from "node:zlib";
import { seededRandom, virtualEnv } from "anykv/testing";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import { type CrashMode, crashed } from "../../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import {
  engineContent,
  engineOptions,
  host,
  type Level,
  type Life,
  type Point,
  storePath,
} from "./crash-life.js";

/** `kill`: the process has ended and the system goes on, with everything unsynced still unsynced. */
export type Ending = CrashMode | { readonly kind: "kill" };

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

/** An ending as text: it names it among those of its point. */
export function labelOf(ending: Ending): string {
  return Object.values(ending).join(" ");
}

/** Every way in which a life may end at one of its points. */
export function endingsAt({ disk }: Point, index: number, seed: number): Ending[] {
  return endingsOf(disk.unsynced().length, seedOf(`${seed} ${index}`));
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

/** What has come back on one image. */
export interface Finding {
  /** The last record. */
  readonly last: number;
  readonly content: string;
  /** By how much the log was cut. */
  readonly tornBytes: number;
}

/**
 * Opens what a crash has left.
 *
 * @throws Error when that is refused, or when more has been cut than was told.
 */
export async function reopened(image: SimulatedDisk, level: Level): Promise<Finding> {
  const files = new SimulatedFiles({ disk: image.clone(), random: seededRandom(1) });
  const processes = host.start();
  try {
    const before = segmentSizes(image);
    const engine = await WalEngine.open(virtualEnv({ files, processes }), engineOptions(level));
    const cut = cutBytes(before, segmentSizes(files.disk));
    const { tornBytes } = engine.recovered;
    if (cut !== tornBytes) throw new Error(`${cut} bytes were cut and ${tornBytes} reported`);
    return { last: engine.last, content: engineContent(engine), tornBytes };
  } finally {
    host.kill(processes);
  }
}

/** @throws Error when what has come back is less or more than it may be, or not what it was. */
export function judge({ last, content }: Finding, point: Point, ending: Ending, life: Life): void {
  const { written, durable, acknowledged, committed } = point.ledger;
  const owed = Math.max(durable, acknowledged, ending.kind === "kill" ? written : 0);
  if (last < owed) throw new Error(`records ${last + 1} to ${owed} are lost`);
  if (last > committed) throw new Error(`record ${last} has come back, of ${committed}`);
  if (content !== life.states.get(last)) {
    throw new Error(`record ${last} has come back with another content`);
  }
}

/** Opens what a crash has left and judges it; resolves with the last record that has come back. */
export async function reopen(
  image: SimulatedDisk,
  point: Point,
  ending: Ending,
  life: Life,
  level: Level,
): Promise<number> {
  const finding = await reopened(image, level);
  judge(finding, point, ending, life);
  return finding.last;
}
