// The channel of the log: what it tells of a store with real files, and what it never does.

import { channel } from "node:diagnostics_channel";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { type Kv, type LogMessage, type OpenKvOptions, openKv } from "anykv";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fileHeaderBytes } from "../../src/engines/wal/file-header.js";

import { type Env, nodeEnv } from "../../src/env/env.js";
import type { FileHandle, Files } from "../../src/env/files.js";
import { everyFilterOperation, everyOperation, secret } from "./every-operation.js";

const log = channel("anykv:log");

let path = "";
let unsubscribe = (): void => {};
const open: Kv[] = [];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "anykv-log-channel-"));
});

afterEach(async () => {
  unsubscribe();
  await Promise.all(open.splice(0).map((kv) => kv.close().catch(() => {})));
  rmSync(path, { recursive: true, force: true });
});

type Event = LogMessage["event"];
type MessageOf<Name extends Event> = Extract<LogMessage, { readonly event: Name }>;

class Recording {
  readonly messages: LogMessage[] = [];
  readonly #listener: (message: unknown) => void;
  #arrived = (): void => {};

  constructor() {
    unsubscribe();
    this.#listener = (message) => {
      this.messages.push(message as LogMessage);
      this.#arrived();
    };
    log.subscribe(this.#listener);
    unsubscribe = () => log.unsubscribe(this.#listener);
  }

  of<Name extends Event>(name: Name): MessageOf<Name>[] {
    return this.messages.filter((message) => message.event === name) as MessageOf<Name>[];
  }

  get events(): Event[] {
    return this.messages.map(({ event }) => event);
  }

  /** Resolves with the first message of the name, now or once it has come. */
  async next<Name extends Event>(name: Name): Promise<MessageOf<Name>> {
    for (;;) {
      const [found] = this.of(name);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

let stores = 0;

function openStore(options: OpenKvOptions = {}): Kv {
  const kv = openKv({ backend: "wal", name: `watched-${++stores}`, path, ...options });
  open.push(kv);
  return kv;
}

/** Sizes of the files in one directory of the store, by name. */
function sizesIn(directory: "wal" | "last_state"): Record<string, number> {
  const names = readdirSync(join(path, directory));
  return Object.fromEntries(
    names.map((name) => [name, statSync(join(path, directory, name)).size]),
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const segmentName = (first: number): string => `${String(first).padStart(20, "0")}.log`;

async function fill(kv: Kv, writes: number): Promise<void> {
  for (let i = 0; i < writes; i++) await kv.set(`key:${i}`, "x".repeat(100));
}

/** Node's own, with some calls replaced. */
function envWith(files: Partial<Files>): Env {
  return { ...nodeEnv, files: { ...nodeEnv.files, ...files } };
}

function envWithHandles(change: (path: string, handle: FileHandle) => Partial<FileHandle>): Env {
  const openFile: Files["open"] = async (file, mode) => {
    const handle = await nodeEnv.files.open(file, mode);
    return { ...handle, ...change(file, handle) };
  };
  return envWith({ open: openFile });
}

const systemError = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

describe("opening", () => {
  test("an empty directory: nothing recovered, the first segment begun", async () => {
    const recording = new Recording();
    const kv = openStore({ name: "fresh" });
    await kv.size();
    const store = { store: "fresh", backend: "wal", path };
    const durationMs = expect.any(Number);
    expect(recording.messages).toEqual([
      { ...store, event: "recovered", stateRows: 0, records: 0, tornBytes: 0, durationMs },
      { ...store, event: "segment_begun", first: 1 },
    ]);
  });

  test("a state and a log: progress from nothing to everything, then what was found", async () => {
    const before = openStore({ wal: { snapshotEvery: 5_000, syncWrites: true } });
    const written = new Recording();
    await fill(before, 60);
    await written.next("cleaned");
    await before.close();
    const totalBytes = sum(Object.values({ ...sizesIn("wal"), ...sizesIn("last_state") }));

    const recording = new Recording();
    const kv = openStore();
    const { disk } = await kv.stats();
    const progress = recording.of("recovery_progress");
    expect(progress[0]).toMatchObject({ phase: "state", stateRows: 0, records: 0, bytes: 0 });
    const { stateRows, records } = disk?.log?.recovered ?? {};
    expect(stateRows).toBeGreaterThan(0);
    expect(records).toBeGreaterThan(0);
    const end = { phase: "log", stateRows, records, bytes: totalBytes, totalBytes };
    expect(progress.at(-1)).toMatchObject(end);
    expect(recording.of("recovered")).toMatchObject([{ stateRows, records, tornBytes: 0 }]);
    expect(recording.events.at(-1)).toBe("recovered");
  });

  test("a torn end", async () => {
    const before = openStore();
    await fill(before, 3);
    await before.close();
    appendFileSync(join(path, "wal", segmentName(1)), "torn");
    const recording = new Recording();
    await openStore().size();
    expect(recording.of("recovered")).toMatchObject([{ records: 3, tornBytes: 4 }]);
  });

  test("a store without a name goes by the name of default", async () => {
    const recording = new Recording();
    const kv = openStore({ name: undefined, path: join(path, ".", "sub") });
    await kv.size();
    expect(recording.messages[0]).toMatchObject({ store: "default", path: join(path, "sub") });
  });
});

describe("writing", () => {
  test("with syncWrites each awaited write is a flush of its own", async () => {
    const recording = new Recording();
    const kv = openStore({ wal: { syncWrites: true } });
    await fill(kv, 5);
    const flushes = recording.of("flushed");
    expect(flushes.map(({ records }) => records)).toEqual([1, 1, 1, 1, 1]);
    const bytes = sum(flushes.map((flush) => flush.bytes));
    expect(sizesIn("wal")).toEqual({ [segmentName(1)]: fileHeaderBytes + bytes });
    for (const { durationMs } of flushes) expect(durationMs).toBeGreaterThan(0);
    expect((await kv.stats()).disk?.log).toMatchObject({ syncs: 5, bytes });
  });

  test("without, the flushes add up to everything written", async () => {
    const recording = new Recording();
    const kv = openStore();
    await fill(kv, 50);
    await kv.close();
    const flushes = recording.of("flushed");
    expect(sum(flushes.map(({ records }) => records))).toBe(50);
    const bytes = sum(flushes.map((flush) => flush.bytes));
    expect(sizesIn("wal")).toEqual({ [segmentName(1)]: fileHeaderBytes + bytes });
  });

  test("segments end and begin", async () => {
    const recording = new Recording();
    const kv = openStore({ wal: { syncWrites: true, segmentSize: 4_096 } });
    await fill(kv, 80);
    await kv.close();
    const begun = recording.of("segment_begun");
    const ended = recording.of("segment_ended");
    const sizes = sizesIn("wal");
    expect(begun.length).toBeGreaterThan(2);
    expect(begun.map(({ first }) => segmentName(first))).toEqual(Object.keys(sizes));
    expect(ended.map(({ first, bytes }) => [segmentName(first), bytes])).toEqual(
      Object.entries(sizes).slice(0, -1),
    );
  });

  test("a sync that fails poisons the log, once", async () => {
    const recording = new Recording();
    let broken = false;
    const env = envWithHandles((_path, handle) => ({
      dataSync: () => (broken ? Promise.reject(systemError("EIO")) : handle.dataSync()),
    }));
    const kv = openStore({ env, wal: { syncWrites: true } });
    await fill(kv, 2);
    broken = true;
    const writes = await Promise.allSettled([kv.set("a", 1), kv.set("b", 2)]);
    expect(writes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(kv.set("c", 3)).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    const failed = { event: "failed", errorName: "DiskStoreWriteError", systemCode: "EIO" };
    expect(recording.of("failed")).toEqual([expect.objectContaining(failed)]);
    expect(recording.of("flushed")).toHaveLength(2);
  });
});

describe("states", () => {
  test("are begun, written, and what they replace is removed", async () => {
    const recording = new Recording();
    const kv = openStore({ wal: { snapshotEvery: 5_000, segmentSize: 4_096, syncWrites: true } });
    await fill(kv, 40);
    const { segments, states } = await recording.next("cleaned");
    const [written] = recording.of("state_written");
    const order = recording.events.filter((event) => /^state|^cleaned/.test(event));
    expect(order.slice(0, 3)).toEqual(["state_begun", "state_written", "cleaned"]);
    expect(written?.rows).toBeGreaterThan(0);
    expect(written?.rawBytes).toBeGreaterThan(written?.storedBytes ?? Infinity);
    expect(Object.values(sizesIn("last_state"))).toContain(written?.storedBytes);
    expect([segments > 1, states]).toEqual([true, 0]);
    expect((await kv.stats()).disk?.log).toMatchObject({ stateError: null });
  });

  test("that cannot be written, for want of room, cost nothing else", async () => {
    const recording = new Recording();
    const env = envWithHandles((file, handle) => ({
      write: (bytes, position) =>
        file.endsWith(".tmp")
          ? Promise.reject(systemError("ENOSPC"))
          : handle.write(bytes, position),
    }));
    const kv = openStore({ env, wal: { snapshotEvery: 5_000, syncWrites: true } });
    await fill(kv, 60);
    expect(await recording.next("state_failed")).toMatchObject({
      errorName: "DiskStoreWriteError",
      systemCode: "ENOSPC",
      durationMs: expect.any(Number),
    });
    expect(recording.of("state_written")).toEqual([]);
    expect(await kv.set("after", 1)).toBe(1);
  });

  test("behind which nothing can be removed are in force all the same", async () => {
    const recording = new Recording();
    const remove: Files["remove"] = (file) =>
      file.endsWith(".log") ? Promise.reject(systemError("EACCES")) : nodeEnv.files.remove(file);
    const kv = openStore({
      env: envWith({ remove }),
      wal: { snapshotEvery: 5_000, syncWrites: true },
    });
    await fill(kv, 60);
    expect(await recording.next("clean_failed")).toMatchObject({ systemCode: "EACCES" });
    expect(recording.of("state_written")).toHaveLength(1);
    expect(recording.of("state_failed")).toEqual([]);
  });
});

describe("subscribers", () => {
  test("find no key, value or item in any message", async () => {
    const recording = new Recording();
    const kv = openStore({ wal: { snapshotEvery: 4_096, segmentSize: 4_096, syncWrites: true } });
    for (const call of Object.values(everyOperation)) await call(kv);
    for (const call of Object.values(everyFilterOperation)) await call(kv.filter(secret));
    for (let i = 0; i < 60; i++) await kv.set(`${secret}:${i}`, secret.repeat(10));
    await recording.next("cleaned");
    await kv.close();
    await openStore().size();
    expect(new Set(recording.events).size).toBeGreaterThan(6);
    expect(inspect(recording.messages, { depth: Infinity, showHidden: true })).not.toContain(
      secret,
    );
  });

  test("without any, nothing is sent, measured or looked at", async () => {
    const readings = vi.fn(nodeEnv.clock.monotonic);
    const stat = vi.fn(nodeEnv.files.stat);
    const env = { ...envWith({ stat }), clock: { ...nodeEnv.clock, monotonic: readings } };
    const publish = vi.spyOn(log, "publish");
    const cost = async (): Promise<number[]> => {
      const kv = openStore({ env, wal: { syncWrites: true } });
      await kv.size();
      const afterOpening = [stat.mock.calls.length, readings.mock.calls.length];
      await fill(kv, 5);
      const perWrites = readings.mock.calls.length - (afterOpening[1] ?? 0);
      await kv.close();
      stat.mockClear();
      readings.mockClear();
      return [...afterOpening.slice(0, 1), perWrites];
    };
    try {
      await cost();
      const unwatched = await cost();
      expect(unwatched[1]).toBe(0);
      expect(publish).not.toHaveBeenCalled();
      new Recording();
      const watched = await cost();
      expect(watched[1]).toBe(10);
      expect(watched[0]).toBeGreaterThan(unwatched[0] ?? Infinity);
      expect(publish).toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });
});
