// A backup at every file call of which something goes wrong: it fails, or the process ends there. The
// target is the former file or the whole new one, nothing else is left, and the store goes on.

import { seededRandom, type VirtualEnv, virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { isKvError } from "../../src/base/errors.js";
import { never } from "../../src/engine/engine.js";
import { MemoryEngine } from "../../src/engines/memory/memory-engine.js";
import { LocalStore } from "../../src/store/local-store.js";
import { faults } from "../../src/testing/simulated-calls.js";
import { type CrashMode, crashed } from "../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { backup, type Copying } from "../../src/transfer/backup.js";
import { restore } from "../../src/transfer/restore.js";
import { plainSnapshotFiles } from "./plain-snapshot-files.js";

const target = "/backups/deep/store.kv";
const rows = 1_200;

interface Subject {
  readonly files: SimulatedFiles;
  readonly env: VirtualEnv;
  readonly engine: MemoryEngine;
  readonly copying: Copying;
}

/** A store of so many values, all of which are `content`. */
function subject(content: string, disk?: SimulatedDisk): Subject {
  const random = seededRandom(7);
  const files = new SimulatedFiles(disk === undefined ? { random } : { random, disk });
  const env = virtualEnv({ files });
  const engine = new MemoryEngine(env, { trackKeys: false });
  engine.write((transaction) => {
    for (let row = 0; row < rows; row++) transaction.values.put(`k${row}`, content, never);
  }, undefined);
  const store = new LocalStore(engine, env);
  const attention = { signal: undefined, onProgress: undefined };
  return { files, env, engine, copying: { env, store, files: plainSnapshotFiles, ...attention } };
}

/** A disk with a backup of a store of "old" under the target. */
async function oldBackup(): Promise<SimulatedDisk> {
  const { files, copying } = subject("old");
  await backup(copying, { target, bestEffort: false });
  return files.disk;
}

/** What a restore from the target brings: the content of all rows, or undefined if it is not there. */
async function contentAt(disk: SimulatedDisk): Promise<string | undefined> {
  const { engine, copying } = subject("none", disk.clone());
  try {
    const bounds = { maxEntries: 0, maxBytes: 0 };
    const { totalEntries } = await restore(copying, { source: target, ...bounds });
    expect(totalEntries).toBe(rows);
  } catch (error) {
    if (isKvError(error) && error.name === "SnapshotNotFoundError") return undefined;
    throw error;
  }
  const contents = engine.read(
    (view) => new Set(view.values.slice(0, rows).map((key) => `${view.values.get(key)?.value}`)),
    undefined,
  ) as Set<string>;
  expect(contents.size).toBe(1);
  return [...contents][0];
}

const temporaries = (files: SimulatedFiles): string[] =>
  [...files.disk.shownNames.keys()].filter((name) => name.endsWith(".tmp"));

async function callsOf(disk: SimulatedDisk | undefined): Promise<SimulatedFiles["calls"]> {
  const { files, copying } = subject("new", disk?.clone());
  await backup(copying, { target, bestEffort: false });
  expect(temporaries(files)).toEqual([]);
  expect(files.openHandles).toBe(0);
  return files.calls;
}

test.each([
  ["over a former backup", true],
  ["where nothing was", false],
])(
  "a backup %s of which one file call fails changes the target entirely or not at all",
  async (_, isOver) => {
    const disk = isOver ? await oldBackup() : undefined;
    const former = isOver ? "old" : undefined;
    const calls = await callsOf(disk);
    const renamed = calls.findIndex(({ kind }) => kind === "rename");
    for (const call of calls.keys()) {
      for (const fault of faults) {
        const { files, engine, copying } = subject("new", disk?.clone());
        files.failAt(call, fault);
        const label = `${call} ${calls[call]?.kind} ${fault}`;
        const error: unknown = await backup(copying, { target, bestEffort: false }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        files.heal();
        if (error !== undefined) {
          expect(isKvError(error) && error.name, label).toBe("SnapshotExportError");
          expect(error, label).toHaveProperty("cause");
        }
        expect(temporaries(files), label).toEqual([]);
        expect(files.openHandles, label).toBe(0);
        const found = await contentAt(files.disk);
        if (error === undefined) expect(found, label).toBe("new");
        else if (call < renamed) expect(found, label).toBe(former);
        else expect([former, "new"], label).toContain(found);
        // The store takes writes and the next backup.
        engine.write((transaction) => transaction.values.put("k0", "new", never), undefined);
        expect((await backup(copying, { target, bestEffort: false })).totalEntries).toBe(rows);
        expect(await contentAt(files.disk), label).toBe("new");
      }
    }
  },
);

test("a backup whose process ends leaves the former file or the whole new one", async () => {
  const disk = await oldBackup();
  const calls = await callsOf(disk);
  const met = new Set<string | undefined>();
  for (const call of calls.keys()) {
    for (const middle of [false, true]) {
      const { files, copying } = subject("new", disk.clone());
      files.stopAt(call, middle);
      let isDone = false;
      const running = backup(copying, { target, bestEffort: false }).then(() => {
        isDone = true;
      });
      await Promise.race([running, files.whenStopped]);
      for (const mode of endings(call)) {
        const found = await contentAt(crashed(files.disk, mode));
        met.add(found);
        expect(isDone ? ["new"] : ["old", "new"], `${call} ${mode.kind}`).toContain(found);
      }
    }
  }
  expect([...met].sort()).toEqual(["new", "old"]);
});

function endings(seed: number): CrashMode[] {
  return [
    { kind: "nothing" },
    { kind: "everything" },
    { kind: "torn", cut: "byte", seed },
    { kind: "names", seed },
    { kind: "pages and names", seed },
  ];
}
