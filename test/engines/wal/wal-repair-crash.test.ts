// Repair that is cut short: by the end of the process or of the power before each file call, and by
// a failure of each. The old files are in force or the repaired ones, and nothing is gone.
// ANYKV_REPAIR_DIRECTORIES sets how many directories are tried. Each kind of call that a repair makes
// has to be met in each directory.

import { isKvError } from "anykv";
import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { Env } from "../../../src/env/env.js";
import { mendRows } from "../../../src/operations/mend.js";
import { type Call, faults } from "../../../src/testing/simulated-calls.js";
import { type CrashMode, crashed } from "../../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../../src/testing/simulated-host.js";
import { shortened } from "./crash-counts.js";
import { mutations } from "./mutations.js";
import { dumpOf, recordedHistory } from "./recorded-history.js";
import { diskWith, envOn, type FileSet, filesOn, storePath, writtenFiles } from "./wal-files.js";

const host = new SimulatedHost();

/** Runs `body` as a process of its own on a disk. */
async function alive<Result>(
  files: SimulatedFiles,
  body: (env: Env) => Promise<Result>,
): Promise<Result> {
  const processes = host.start();
  try {
    return await body({ ...envOn(files.disk), files, processes });
  } finally {
    host.kill(processes);
  }
}

function repairOn(files: SimulatedFiles): Promise<unknown> {
  return alive(files, (env) => repairWal(env, storePath, { mend: mendRows }));
}

function dumpOn(disk: SimulatedDisk): Promise<string> {
  return alive(new SimulatedFiles({ disk }), async (env) => {
    const engine = await WalEngine.open(env, { ...walDefaults, path: storePath, trackKeys: false });
    const dump = await engine.read(dumpOf, undefined);
    await engine.close();
    return dump;
  });
}

function modesAt(disk: SimulatedDisk, seed: number): CrashMode[] {
  const changes = disk.unsynced().length;
  return [
    { kind: "nothing" },
    { kind: "everything" },
    ...Array.from({ length: changes }, (_, index) => ({ kind: "prefix" as const, changes: index })),
    { kind: "torn", cut: "byte", seed },
    { kind: "names", seed },
    { kind: "pages and names", seed },
  ];
}

/** Everything that was there before is there still, wherever. */
function expectKept(before: FileSet, disk: SimulatedDisk): void {
  const texts = new Set([...filesOn(disk).values()].map((bytes) => bytes.toString("latin1")));
  for (const [path, bytes] of before) {
    if (!texts.has(bytes.toString("latin1"))) throw new Error(`${path} is gone`);
  }
}

async function expectRepairable(
  disk: SimulatedDisk,
  damaged: FileSet,
  dump: string,
): Promise<void> {
  expectKept(damaged, disk);
  const { opens } = await alive(new SimulatedFiles({ disk }), (env) => verifyWal(env, storePath));
  if (opens) expect(await dumpOn(disk.clone())).toBe(dump);
  await repairOn(new SimulatedFiles({ disk }));
  expect(await dumpOn(disk)).toBe(dump);
  expectKept(damaged, disk);
}

/** A directory that does not open, and what repairing it brings back. */
async function damagedCase(seed: number): Promise<{ damaged: FileSet; dump: string }> {
  const random = seededRandom(seed);
  const records = await recordedHistory(seed, 25);
  const options = { seed, syncWrites: true, snapshots: 8, keepsSuperseded: seed % 2 === 0 };
  const files = await writtenFiles(records, options);
  for (;;) {
    const damaged = new Map(files);
    mutations["a flipped bit"]?.(damaged, random, damaged);
    const disk = diskWith(damaged);
    const { problems } = await verifyWal(envOn(disk), storePath);
    if (problems.length === 0) continue;
    await repairOn(new SimulatedFiles({ disk }));
    return { damaged, dump: await dumpOn(disk) };
  }
}

/** What a repair changes; the name of the quarantine is the time, which stands still. */
const changes = [
  "makeDirectory quarantine/20240101T000000Z",
  "syncDirectory store/quarantine",
  "write last_state/tmp",
  "sync last_state/tmp",
  "write wal/log",
  "sync wal/log",
  "syncDirectory store/wal",
  "write 20240101T000000Z/report.json",
  "sync 20240101T000000Z/report.json",
  "syncDirectory quarantine/20240101T000000Z",
  "rename last_state/state",
  "syncDirectory store/last_state",
  "rename wal/log",
  "syncDirectory 20240101T000000Z/wal",
];

const directories = Number(process.env.ANYKV_REPAIR_DIRECTORIES ?? 1);
const seeds = Array.from({ length: directories }, (_, index) => index + 1);

describe.each(seeds)("directory %i", (seed) => {
  test("a crash before any call leaves the old files or the repaired ones", async () => {
    const { damaged, dump } = await damagedCase(seed);
    const disk = diskWith(damaged);
    const points: SimulatedDisk[] = [];
    // Calls that read lie between points that are the same.
    let last = "";
    const met = new Map<string, number>();
    const before = ({ kind, path }: Call): void => {
      const now = `${disk.changes} ${disk.unsynced()}`;
      if (now !== last) points.push(disk.clone());
      last = now;
      const call = shortened(`${kind} ${path}`);
      met.set(call, (met.get(call) ?? 0) + 1);
    };
    await repairOn(new SimulatedFiles({ disk, observer: { before } }));
    let crashes = 0;
    for (const [index, point] of points.entries()) {
      for (const mode of modesAt(point, seed * 1000 + index)) {
        crashes++;
        await expectRepairable(crashed(point, mode), damaged, dump).catch((cause) => {
          throw new Error(`moment ${index} of directory ${seed}, ${JSON.stringify(mode)}`, {
            cause,
          });
        });
      }
    }
    expect(changes.filter((call) => !met.has(call))).toEqual([]);
    const calls = changes.map((call) => `${call}: ${met.get(call)}`).join(", ");
    console.info(`repair of directory ${seed}: ${points.length} moments, ${crashes} crashes
  ${calls}`);
    expect(crashes).toBeGreaterThan(points.length * 4);
  });

  test("a failure of any call is told as such and can be repaired", async () => {
    const { damaged, dump } = await damagedCase(seed);
    const clean = new SimulatedFiles({ disk: diskWith(damaged) });
    await repairOn(clean);
    for (const fault of faults) {
      for (let call = 0; call < clean.calls.length; call++) {
        const disk = diskWith(damaged);
        const files = new SimulatedFiles({ disk });
        files.failAt(call, fault);
        await repairOn(files).catch((error) => {
          const where = `${fault} at ${clean.calls[call]?.kind} of ${clean.calls[call]?.path}`;
          if (!isKvError(error)) throw new Error(`untyped: ${where}`, { cause: error });
          expect(error.name, where).toMatch(/^Disk(Path|StoreOpen|StoreWrite)Error$/);
          expect(error.cause, where).toBeInstanceOf(Error);
        });
        expect(files.openHandles).toBe(0);
        await expectRepairable(disk, damaged, dump);
      }
    }
  });
});
