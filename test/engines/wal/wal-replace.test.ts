// Replacing the whole content of a wal store: ended before and in the middle of every file call, with
// everything that the disk may hold then, and failed at every file call. What opens afterwards is the
// former content with all that was acknowledged, or the new one; nothing in between.

import { seededRandom, virtualEnv } from "anykv/testing";
import { describe, expect, test, vi } from "vitest";
import { never } from "../../../src/engine/engine.js";
import type { SnapshotRow } from "../../../src/engine/snapshot.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import { faults } from "../../../src/testing/simulated-calls.js";
import { type CrashMode, crashed } from "../../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { engineContent, engineOptions, host, levelOf } from "./crash-life.js";

vi.mock("node:zlib", async (original) => {
  const { promptZlib } = await import("./prompt-zlib.js");
  return promptZlib(await original());
});

const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

function row(key: string, value: string, deadline = never): SnapshotRow {
  return { table: "values", key, value, deadline, again: false };
}

/** Rows that share some keys with those of `fill`, with other values. */
function newRows(seed: number): SnapshotRow[] {
  const { below } = seededRandom(seed);
  return Array.from({ length: 1 + below(40) }, (_, index) => row(`k${index}`, `new ${index}`));
}

function sourceOf(rows: readonly SnapshotRow[]) {
  const left = [...rows];
  return {
    next: () => (left.length === 0 ? undefined : left.splice(0, 7)),
    pause: async () => {},
  };
}

async function put(engine: WalEngine, key: string, value: string): Promise<void> {
  await engine.write((transaction) => transaction.values.put(key, value, never), undefined);
}

async function fill(engine: WalEngine, seed: number): Promise<void> {
  const { below } = seededRandom(seed);
  for (let index = 0; index < 30; index++) await put(engine, `k${below(20)}`, `old ${index}`);
  await engine.write((transaction) => transaction.counters.put("token", "7", never), undefined);
  // Without `syncWrites` what was written may be lost before it has come to the disk.
  if (!levelOf(seed).syncWrites || seed % 3 === 0) await engine.compact();
}

let process: ReturnType<typeof host.start> | undefined;

/** Opens the store in a new process; the one before has ended. */
function open(seed: number, files: SimulatedFiles): Promise<WalEngine> {
  if (process !== undefined) host.kill(process);
  process = host.start();
  const env = virtualEnv({ seed, files, processes: process });
  return WalEngine.open(env, engineOptions(levelOf(seed)));
}

interface Replacement {
  readonly former: string;
  readonly next: string;
  /** File calls before the replacement, after it, and to the end. */
  readonly calls: { readonly before: number; readonly after: number };
}

/** One life without trouble, to know what there is to be found. */
async function rehearse(seed: number): Promise<Replacement> {
  const files = new SimulatedFiles({ random: seededRandom(seed) });
  const engine = await open(seed, files);
  await fill(engine, seed);
  const former = engineContent(engine);
  const before = files.calls.length;
  await replace(engine, seed);
  const after = files.calls.length;
  const next = engineContent(engine);
  await engine.close();
  return { former, next, calls: { before, after } };
}

function replace(engine: WalEngine, seed: number): Promise<void> {
  return engine.replace(
    sourceOf(newRows(seed)),
    (transaction) => transaction.counters.put("token", "9", never),
    undefined,
  );
}

/** Opens what is on a disk, with what was durable when the last process ended; then goes on. */
async function found(seed: number, disk: SimulatedDisk): Promise<string> {
  const files = new SimulatedFiles({ disk });
  const engine = await open(seed, files);
  const content = engineContent(engine);
  await put(engine, "later", "x");
  await engine.close();
  const again = await open(seed, new SimulatedFiles({ disk: files.disk.clone() }));
  await again.write((transaction) => transaction.values.delete("later"), undefined);
  if (engineContent(again) !== content) throw new Error("what was written later is lost");
  await again.close();
  return content;
}

function endings(seed: number): CrashMode[] {
  return [
    { kind: "nothing" },
    { kind: "everything" },
    { kind: "torn", cut: "byte", seed },
    { kind: "names", seed },
    { kind: "pages and names", seed },
  ];
}

describe("a wal store whose content is replaced", () => {
  test.each(seeds)("opens with one content or the other after a crash, seed %i", async (seed) => {
    const { former, next, calls } = await rehearse(seed);
    expect(former).not.toBe(next);
    const met = new Set<string>();
    for (let call = calls.before; call < calls.after; call++) {
      for (const middle of [false, true]) {
        const files = new SimulatedFiles({ random: seededRandom(seed) });
        const engine = await open(seed, files);
        await fill(engine, seed);
        files.stopAt(call, middle);
        let isDone = false;
        const replacing = replace(engine, seed).then(() => {
          isDone = true;
        });
        replacing.catch(() => {});
        await Promise.race([replacing, files.whenStopped]);
        for (const mode of endings(seed * 1_000 + call)) {
          const content = await found(seed, crashed(files.disk, mode));
          met.add(content === former ? "former" : "next");
          if (isDone) expect(content, `${call} ${mode.kind}`).toBe(next);
          else expect([former, next], `${call} ${mode.kind}`).toContain(content);
        }
      }
    }
    expect([...met].sort()).toEqual(["former", "next"]);
  });

  test.each(seeds)("keeps to one content when a file call fails, seed %i", async (seed) => {
    const { former, next, calls } = await rehearse(seed);
    for (let call = calls.before; call < calls.after; call++) {
      for (const fault of faults) {
        const files = new SimulatedFiles({ random: seededRandom(seed) });
        const engine = await open(seed, files);
        await fill(engine, seed);
        files.failAt(call, fault);
        const error: unknown = await replace(engine, seed).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        const shown = engineContent(engine);
        expect(shown, `${call} ${fault}`).toBe(error === undefined ? next : former);
        if (error !== undefined) expect(error).toHaveProperty("name", "DiskStoreWriteError");
        const isWritable = await put(engine, "more", "1").then(
          () => true,
          () => false,
        );
        if (isWritable) await engine.write((tx) => tx.values.delete("more"), undefined);
        files.heal();
        await engine.close().catch(() => {});
        expect(files.openHandles).toBe(0);
        const content = await found(seed, files.disk.clone());
        if (isWritable) expect(content, `${call} ${fault}`).toBe(shown);
        else expect([former, next], `${call} ${fault}`).toContain(content);
      }
    }
  });

  test("refuses writes from the first row on, also beside a state that is being written", async () => {
    const engine = await open(1, new SimulatedFiles());
    await fill(engine, 1);
    const state = engine.compact();
    const replacing = replace(engine, 1);
    await expect(put(engine, "lost", "1")).rejects.toHaveProperty("name", "RestoreInProgressError");
    await Promise.all([state, replacing]);
    await put(engine, "later", "1");
    await engine.close();
  });

  test.each(seeds)("loses no row to what expires of the former content, seed %i", async (seed) => {
    let engine: WalEngine | undefined;
    let expiring = 0;
    // As if one more row expired at every call.
    const after = (): void => {
      const key = `k${expiring++ % 20}`;
      void engine?.reap((transaction) => transaction.values.delete(key), undefined);
    };
    const files = new SimulatedFiles({ random: seededRandom(seed), observer: { after } });
    const opened = await open(seed, files);
    await fill(opened, seed);
    engine = opened;
    const replacing = replace(opened, seed);
    await replacing;
    engine = undefined;
    const content = engineContent(opened);
    await opened.close();
    expect(await found(seed, files.disk.clone())).toBe(content);
  });

  test("counts its states, and leaves only the last one and the log behind it", async () => {
    const files = new SimulatedFiles();
    const engine = await open(2, files);
    await fill(engine, 2);
    const { log } = await engine.diskReport();
    await replace(engine, 2);
    const report = await engine.diskReport();
    expect(report.log?.states).toBe((log?.states ?? 0) + 1);
    expect(report.log?.segments).toBe(1);
    await engine.close();
  });
});
