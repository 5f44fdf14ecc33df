// Directories of wal stores for tests: written by the code under test on a simulated disk, and
// taken apart into plain bytes.

import { seededRandom, type VirtualEnv, virtualEnv } from "anykv/testing";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { Env } from "../../../src/env/env.js";
import { nodeProcesses } from "../../../src/env/processes.js";
import { type FileNode, SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { type RecordedChanges, replay } from "./recorded-history.js";

export const storePath = "/store";

/** Paths below the directory of the store, and what they hold; `LOCK` is left out. */
export type FileSet = Map<string, Buffer>;

/** An env on files in memory. Its clock stands still, and nothing expires. */
export function envOn(disk: SimulatedDisk, seed = 1): Env & { readonly files: SimulatedFiles } {
  const world: VirtualEnv = virtualEnv({ seed });
  const { clock, random, timers } = world;
  return { clock, random, timers, processes: nodeProcesses, files: new SimulatedFiles({ disk }) };
}

export function diskWith(files: ReadonlyMap<string, Buffer>): SimulatedDisk {
  const nodes = new Map<number, FileNode>();
  const names = new Map<string, "directory" | number>([["/", "directory"]]);
  for (const directory of ["", "/wal", "/last_state"]) {
    names.set(`${storePath}${directory}`, "directory");
  }
  let number = 0;
  for (const [path, bytes] of files) {
    nodes.set(++number, { shown: bytes, durable: bytes, pending: [] });
    names.set(`${storePath}/${path}`, number);
  }
  return new SimulatedDisk(nodes, names, number);
}

/** What is on a disk, quarantine included. */
export function filesOn(disk: SimulatedDisk): FileSet {
  const files: FileSet = new Map();
  for (const [path, entry] of [...disk.shownNames].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = path.slice(storePath.length + 1);
    if (typeof entry === "number" && name !== "LOCK") files.set(name, disk.shown(entry));
  }
  return files;
}

export interface WritingOptions {
  readonly seed: number;
  readonly syncWrites: boolean;
  /** Of a hundred records, after how many a state is written. */
  readonly snapshots: number;
  /** Whether files that a state made superfluous are kept, as a crash before the cleaning would. */
  readonly keepsSuperseded: boolean;
}

/** A closed store with these records. */
export async function writtenFiles(
  records: readonly RecordedChanges[],
  { seed, syncWrites, snapshots, keepsSuperseded }: WritingOptions,
): Promise<FileSet> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(storePath);
  const random = seededRandom(seed);
  const options = {
    ...walDefaults,
    ...{ path: storePath, trackKeys: false, syncWrites, segmentBytesMax: 700 },
    packedBytesMin: [100, 300, 65_536][random.below(3)] as number,
  };
  const open = (): Promise<WalEngine> => WalEngine.open(envOn(disk), options);
  let engine = await open();
  const superseded: FileSet = new Map();
  let writing: Promise<void> | undefined;
  for (const changes of records) {
    const done = engine.write(replay, changes);
    if (random.below(3) === 0) await done;
    if (random.below(4) === 0) await new Promise(setImmediate);
    if (random.below(100) < snapshots) {
      await writing;
      await engine.close();
      if (keepsSuperseded) for (const [path, bytes] of filesOn(disk)) superseded.set(path, bytes);
      engine = await open();
      writing = engine.compact();
      // Often transactions come while the state is being written.
      if (random.below(2) === 0) await writing;
    }
    if (random.below(40) === 0) {
      await writing;
      await engine.close();
      engine = await open();
    }
  }
  await writing;
  await engine.close();
  return new Map([...superseded, ...filesOn(disk)]);
}
