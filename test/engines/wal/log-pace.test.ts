// The pace of the log: how long what was written may stay in memory, how much of it, and who waits
// for what. Time is virtual, and calls take as long as a test wants.

import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { never } from "../../../src/engine/engine.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine, type WalOptions } from "../../../src/engines/wal/wal-engine.js";
import type { Call } from "../../../src/testing/simulated-calls.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { framesOf } from "./format-reading.js";
import { filesOn, storePath } from "./wal-files.js";

const bufferedBytesMax = 2 ** 20;
const frameBytesMin = 2 ** 22;

/** Holds calls back until it is opened. */
class Gate {
  readonly #isHeld: (call: Call) => boolean;
  #opened: Promise<void> | undefined;
  #open = (): void => {};

  constructor(isHeld: (call: Call) => boolean) {
    this.#isHeld = isHeld;
  }

  close(): void {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#opened = undefined;
    this.#open();
  }

  delay = (call: Call): Promise<void> | undefined =>
    this.#isHeld(call) ? this.#opened : undefined;
}

async function openOn(options: Partial<WalOptions> = {}, gate = new Gate(() => false)) {
  const files = new SimulatedFiles({ observer: { delay: gate.delay } });
  files.disk.makeDirectory(storePath);
  const env = virtualEnv({ files });
  const all = { ...walDefaults, path: storePath, trackKeys: false, ...options };
  const engine = await WalEngine.open(env, all);
  const write = async (key: string, bytes = 1): Promise<void> =>
    engine.write(({ values }) => values.put(key, "x".repeat(bytes), never), undefined);
  const progress = async () => (await engine.diskReport()).log ?? expect.fail("no log");
  return { files, env, engine, write, progress };
}

const isLogWrite = ({ kind, path }: Call): boolean => kind === "write" && path.endsWith(".log");

test("what was written is on the disk a flush interval later", async () => {
  const { env, engine, write, progress } = await openOn({ flushIntervalMs: 50 });
  for (const key of ["a", "b", "c"]) {
    await write(key);
    await env.advance(0);
    expect((await progress()).durable).toBeLessThan(engine.last);
    await env.advance(50);
    expect(await progress()).toMatchObject({ appended: engine.last, durable: engine.last });
  }
  await engine.close();
});

test("a writer that awaits nothing but the store lets its writes reach the file", async () => {
  const { env, engine, write, progress } = await openOn();
  for (let written = 1; written <= 50; written++) {
    // Work that keeps the event loop from its turns.
    env.stall(5);
    await write(`key ${written}`);
    expect(written - (await progress()).written).toBeLessThan(5);
  }
  await engine.close();
});

test("a quick writer is made to wait for a turn now and then as well", async () => {
  const { env, engine, write } = await openOn();
  let turns = 0;
  const count = (): void => {
    turns++;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  for (let written = 0; written < 1_000; written++) {
    if (written % 50 === 0) env.stall(1);
    await write(`key ${written}`);
  }
  clearImmediate(immediate);
  expect(turns).toBeGreaterThan(2);
  await engine.close();
});

test("a writer waits when the disk does not keep up, and goes on when it does", async () => {
  const gate = new Gate(isLogWrite);
  const { env, engine, write } = await openOn({}, gate);
  gate.close();
  const valueBytes = 10_000;
  let acknowledged = 0;
  const writing = (async () => {
    for (; acknowledged < 500; acknowledged++) await write(`key ${acknowledged}`, valueBytes);
  })();
  for (let turn = 0; turn < 200; turn++) await env.idle();
  // One frame is being written, and the buffer behind it is full.
  expect(acknowledged * valueBytes).toBeGreaterThan(bufferedBytesMax);
  expect(acknowledged * valueBytes).toBeLessThan(3 * bufferedBytesMax);
  gate.open();
  await writing;
  await engine.close();
});

test("frames and segments stay small when many large writes come at once", async () => {
  const valueBytes = 2 ** 20;
  const { files, engine, write } = await openOn({
    segmentBytesMax: 2 ** 23,
    packedBytesMin: 2 ** 40,
  });
  await Promise.all(Array.from({ length: 40 }, (_, index) => write(`key ${index}`, valueBytes)));
  await engine.close();
  const segments = [...filesOn(files.disk)].filter(([path]) => path.endsWith(".log"));
  expect(segments.length).toBeGreaterThan(2);
  const frameBytesMax = frameBytesMin + 2 * valueBytes;
  for (const [, bytes] of segments) {
    expect(bytes.length).toBeLessThan(2 ** 23 + frameBytesMax);
    for (const { offset, end } of framesOf(bytes)) expect(end - offset).toBeLessThan(frameBytesMax);
  }
});

test("with syncWrites nobody is told of what is not on the disk, also when nothing changes", async () => {
  const gate = new Gate(({ kind }) => kind === "dataSync");
  const { env, engine, write } = await openOn({ syncWrites: true }, gate);
  gate.close();
  const told: string[] = [];
  const first = write("key").then(() => told.push("first"));
  await env.idle();
  const found = Promise.resolve(engine.write(({ values }) => values.has("key"), undefined));
  const second = found.then((value) => told.push(`second: ${value}`));
  await env.idle();
  expect(told).toEqual([]);
  gate.open();
  await Promise.all([first, second]);
  expect(told.sort()).toEqual(["first", "second: true"]);
  await engine.close();
});

test.each([true, false])(
  "a log that is idle claims what is on the disk, syncWrites: %s",
  async (syncWrites) => {
    const { files, env, engine, write } = await openOn({ syncWrites, flushIntervalMs: 50 });
    const last = () => framesOf([...filesOn(files.disk).values()].at(-1) as Buffer).at(-1);
    await write("key");
    for (let interval = 0; interval < 4; interval++) await env.advance(50);
    expect(last()).toMatchObject({ records: 0, durable: last()?.offset });
    const frames = (await engine.diskReport()).log?.bytes;
    await env.advance(1_000);
    expect((await engine.diskReport()).log?.bytes).toBe(frames);
    expect(env.armedTimers).toBe(0);
    await engine.close();
    expect(last()).toMatchObject({ records: 0, durable: last()?.offset });
  },
);
