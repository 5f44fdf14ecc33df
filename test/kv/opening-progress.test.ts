// The progress of an opening: what `wal.onProgress` is told, when, and what it cannot break.

import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv, type RecoveryProgress, type WalOptions } from "anykv";
import { seededRandom } from "anykv/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Env, nodeEnv } from "../../src/env/env.js";

let path = "";
let totalBytes = 0;
const open: Kv[] = [];
let stores = 0;

function openStore(wal: WalOptions, env?: Env, name: string | undefined = `slow-${++stores}`): Kv {
  const kv = openKv({ backend: "wal", name, path, wal, env });
  open.push(kv);
  return kv;
}

const closeAll = (): Promise<unknown> => Promise.all(open.splice(0).map((kv) => kv.close()));

const keys = 12_000;

// A state of some blocks and a log of some segments, of texts that do not compress away.
beforeAll(async () => {
  path = mkdtempSync(join(tmpdir(), "anykv-progress-"));
  const random = seededRandom(1);
  const text = (): string => Array.from({ length: 20 }, () => random.below(2 ** 40)).join(" ");
  for (const snapshotEvery of ["500KB", "64MiB"]) {
    const kv = openStore({ segmentSize: "200KB", snapshotEvery, syncWrites: true });
    for (let batch = 0; batch < keys / 200; batch++) {
      const names = Array.from({ length: 100 }, (_, i) => `${snapshotEvery}:${batch * 100 + i}`);
      await kv.setMany(Object.fromEntries(names.map((name) => [name, text()])));
    }
    // Waits for the state that is being written.
    await closeAll();
  }
});

// A log that has been idle for a while, or closes, may grow by a frame without records.
beforeEach(() => {
  const files = ["wal", "last_state"].flatMap((directory) =>
    readdirSync(join(path, directory)).map((name) => join(path, directory, name)),
  );
  totalBytes = files.reduce((bytes, file) => bytes + statSync(file).size, 0);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

afterAll(() => rmSync(path, { recursive: true, force: true }));

/** A clock that moves by this much with every reading: reading files takes time on it. */
function slowEnv(tickMs: number): Env & { readonly elapsedMs: () => number } {
  let ms = 0;
  const monotonic = (): number => {
    ms += tickMs;
    return ms;
  };
  return { ...nodeEnv, clock: { ...nodeEnv.clock, monotonic }, elapsedMs: () => ms };
}

/** The `code` of warnings of this process from now on. */
function warnings(): string[] {
  const codes: string[] = [];
  vi.spyOn(process, "emitWarning").mockImplementation((_text, options) => {
    codes.push((options as { code: string }).code);
  });
  return codes;
}

describe("progress", () => {
  test("comes at the beginning, now and then, and at the end", async () => {
    const env = slowEnv(60);
    const seen: (RecoveryProgress & { readonly atMs: number })[] = [];
    const kv = openStore(
      { onProgress: (each) => seen.push({ ...each, atMs: env.elapsedMs() }) },
      env,
    );
    expect(await kv.size()).toBe(keys);
    const [first, last] = [seen[0], seen.at(-1)];
    const { stateRows, records } = (await kv.stats()).disk?.log?.recovered ?? {};
    expect(stateRows).toBeGreaterThan(0);
    expect(records).toBeGreaterThan(0);
    expect(first).toMatchObject({ phase: "state", stateRows: 0, records: 0, bytes: 0, totalBytes });
    expect(last).toMatchObject({ phase: "log", stateRows, records, bytes: totalBytes, totalBytes });
    const between = seen.slice(1, -1);
    for (const phase of ["state", "log"]) {
      expect(between.filter((each) => each.phase === phase).length, phase).toBeGreaterThan(0);
    }
    for (const [index, next] of seen.slice(1).entries()) {
      const before = seen[index] as (typeof seen)[number];
      expect(next.bytes).toBeGreaterThan(before.bytes);
      expect(next.stateRows).toBeGreaterThanOrEqual(before.stateRows);
      expect(next.records).toBeGreaterThanOrEqual(before.records);
      expect(next.totalBytes).toBe(totalBytes);
      expect(next.phase >= before.phase || next.phase === "log").toBe(true);
      if (index + 2 < seen.length) expect(next.atMs - before.atMs).toBeGreaterThanOrEqual(100);
    }
  });

  test("of a quick opening is its beginning and its end", async () => {
    const seen: number[] = [];
    const onProgress = ({ bytes }: RecoveryProgress): void => void seen.push(bytes);
    await openStore({ onProgress }, slowEnv(0)).size();
    expect(seen).toEqual([0, totalBytes]);
  });

  test("lets others have their turn meanwhile", async () => {
    const turns: number[] = [];
    let turn = 0;
    const counting = setInterval(() => turn++, 0);
    try {
      const onProgress = (): void => void turns.push(turn);
      await openStore({ onProgress }, slowEnv(30)).size();
    } finally {
      clearInterval(counting);
    }
    expect(turns.at(-1)).toBeGreaterThan(turns[0] ?? Infinity);
  });

  test("of a store without files there is none", async () => {
    const onProgress = vi.fn();
    const fresh = mkdtempSync(join(tmpdir(), "anykv-progress-fresh-"));
    const kv = openKv({ backend: "wal", name: "fresh", path: fresh, wal: { onProgress } });
    await kv.size();
    await kv.close();
    rmSync(fresh, { recursive: true, force: true });
    expect(onProgress).not.toHaveBeenCalled();
  });
});

describe("the callback", () => {
  test("that throws is warned of and not called again; the store opens", async () => {
    const codes = warnings();
    const onProgress = vi.fn(() => {
      throw new Error("no terminal");
    });
    const kv = openStore({ onProgress }, slowEnv(30));
    expect(await kv.size()).toBe(keys);
    expect(onProgress).toHaveBeenCalledTimes(1);
    expect(codes).toEqual(["ANYKV_PROGRESS_FAILED"]);
  });

  test("that rejects is, too", async () => {
    const codes = warnings();
    const onProgress = vi.fn(async () => {
      throw new Error("no terminal");
    });
    const kv = openStore({ onProgress }, slowEnv(30));
    expect(await kv.size()).toBe(keys);
    expect(onProgress).toHaveBeenCalledTimes(1);
    expect(codes).toEqual(["ANYKV_PROGRESS_FAILED"]);
  });

  test("of the handle that opens the store is called, and is no reason for a conflict", async () => {
    const [first, second] = [vi.fn(), vi.fn()];
    const kv = openStore({ onProgress: first }, undefined, "shared");
    const again = openStore({ onProgress: second }, undefined, "shared");
    expect([await kv.size(), await again.size()]).toEqual([keys, keys]);
    expect(first).toHaveBeenCalled();
    expect(second).not.toHaveBeenCalled();
  });

  test("of a handle that opens the store without a name again is that handle's own", async () => {
    const [first, second] = [vi.fn(), vi.fn()];
    const options = (onProgress: () => void) =>
      ({ backend: "wal", path, wal: { onProgress } }) as const;
    const kv = openKv(options(first));
    await kv.size();
    await kv.close();
    const calls = first.mock.calls.length;
    const again = openKv(options(second));
    await again.size();
    await again.close();
    expect(calls).toBeGreaterThan(1);
    expect(first).toHaveBeenCalledTimes(calls);
    expect(second).toHaveBeenCalled();
  });

  test("is a function, and nothing else", () => {
    for (const onProgress of [0, true, "print", {}, []]) {
      const opening = (): unknown => openStore({ onProgress: onProgress as never });
      expect(opening).toThrow('option "wal.onProgress" must be a function');
    }
  });
});
