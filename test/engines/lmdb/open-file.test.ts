// One file, opened by many: stores and threads of one process, and other processes that open and
// close it while somebody writes. ANYKV_OPENINGS sets how often they do.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

let directory: string;
let path: string;
let stores = 0;
const handles: Kv[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-open-"));
  path = join(directory, "store");
});
afterEach(async () => {
  await Promise.all(handles.splice(0).map((kv) => kv.close()));
  rmSync(directory, { recursive: true });
});

/** A store of its own, on the path of the test. */
function open(disk: object = {}, at = path): Kv {
  const kv = openKv({ name: `file-${++stores}`, backend: "disk", path: at, disk });
  handles.push(kv);
  return kv;
}

async function fill(): Promise<void> {
  const kv = open();
  await kv.set("key", 1);
  await kv.close();
}

const differently = {
  name: "DiskStoreOpenError",
  message: expect.stringContaining("other options"),
};

describe("stores of one thread", () => {
  test("write to one file and see what the others write", async () => {
    const all = Array.from({ length: 5 }, () => open());
    const calls = all.flatMap((kv) => Array.from({ length: 200 }, () => kv.incrementBy("n", 1)));
    const sums = await Promise.all(calls);
    expect(new Set(sums).size).toBe(1_000);
    for (const kv of all) expect(await kv.get("n")).toBe(1_000);
  });

  test("are not disturbed by one that closes, whichever it is", async () => {
    const [first, second, third] = [open(), open(), open()];
    await Promise.all([first.set("a", 1), second.set("b", 1)]);
    await first.close();
    await third.set("c", 1);
    expect(await second.listKeys()).toEqual(["a", "b", "c"]);
  });

  test("open while another one closes, at every point of it", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const before = open();
      await before.set(`key${turns}`, turns);
      const closed = before.close();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      if (turns % 4 === 3) await new Promise((resolve) => setImmediate(resolve));
      const after = open();
      expect(await after.size()).toBe(turns + 1);
      await Promise.all([closed, after.close()]);
    }
  });

  test("that close while they open leave the file to the others", async () => {
    const impatient = open();
    const patient = open();
    await impatient.close();
    await patient.set("key", 1);
    expect(await patient.get("key")).toBe(1);
  });

  test("close while the opening fails", async () => {
    const missing = [open({ readOnly: true }), open({ readOnly: true })];
    const failed = expect(missing[1]!.size()).rejects.toThrow("no store");
    await missing[0]!.close();
    await failed;
  });

  // Which of the two comes first is not said: the reader finds no store, or that of the writer.
  test("are opened as they ask for, also when another one has failed", async () => {
    for (let round = 0; round < 30; round++) {
      const at = join(directory, `store${round}`);
      const reader = open({ readOnly: true }, at);
      const read = reader.size().catch((error: Error) => error.message);
      const writer = open({}, at);
      await writer.set("key", 1);
      expect([0, 1, `there is no store at ${at} to be read`]).toContain(await read);
      expect(await open({ readOnly: true }, at).get("key")).toBe(1);
    }
  });

  test("read beside one that writes", async () => {
    const writer = open();
    await writer.set("key", 1);
    const reader = open({ readOnly: true });
    expect(await reader.get("key")).toBe(1);
    await expect(reader.set("key", 2)).rejects.toMatchObject({ name: "StoreReadOnlyError" });
    await writer.set("key", 2);
    expect(await reader.get("key")).toBe(2);
    await writer.close();
    expect(await reader.get("key")).toBe(2);
  });

  test("write once nobody reads only any more, and say so until then", async () => {
    await fill();
    const reader = open({ readOnly: true });
    expect(await reader.get("key")).toBe(1);
    await expect(open().set("key", 2)).rejects.toMatchObject(differently);
    await expect(open({ noSync: true }).size()).rejects.toMatchObject(differently);
    expect(await reader.get("key")).toBe(1);
    await reader.close();
    await open().set("key", 2);
  });

  test("wait for the disk all of them, or none", async () => {
    await open().set("key", 1);
    await expect(open({ noSync: true }).size()).rejects.toMatchObject(differently);
  });

  test("find the same file under other names", async () => {
    const link = join(directory, "link");
    const linkedDirectory = join(directory, "directory");
    symlinkSync(path, link);
    symlinkSync(directory, linkedDirectory);
    const all = [open(), open({}, join(linkedDirectory, "store"))];
    await Promise.all(all.map((kv) => kv.incrementBy("n", 1)));
    all.push(open({}, link), open({}, join(linkedDirectory, "link")));
    const calls = all.flatMap((kv) => Array.from({ length: 100 }, () => kv.incrementBy("n", 1)));
    await Promise.all(calls);
    for (const kv of all) expect(await kv.get("n")).toBe(402);
  });
});

describe("threads and processes", () => {
  let compiled: CompiledPackage;
  let script: string;
  beforeAll(async () => {
    compiled = await compilePackage();
    // Opens the file of a message as often as it says, and tells what went wrong.
    script = compiled.script(
      "opener.mjs",
      `import { parentPort } from "node:worker_threads";
      import { openKv } from "anykv";
      const port = parentPort ?? process;
      const answer = (value) => parentPort ? parentPort.postMessage(value) : process.send(value);
      port.on("message", async ({ path, disk, times, increments }) => {
        const errors = [];
        for (let count = 0; count < times; count++) {
          const kv = openKv({ name: "opener", backend: "disk", path, disk });
          try {
            await kv.size();
            for (let n = 0; n < increments; n++) await kv.incrementBy("n", 1);
          } catch (error) {
            errors.push(error.name + ": " + error.message);
          }
          await kv.close();
        }
        answer(errors);
      });`,
    );
  });
  afterAll(() => compiled.remove());

  interface Order {
    readonly disk?: object;
    readonly times: number;
    readonly increments: number;
  }

  /** What went wrong when a thread did as it was told. */
  async function inThread({ disk = {}, ...order }: Order): Promise<string[]> {
    const worker = new Worker(script);
    worker.postMessage({ path, disk, ...order });
    const [errors] = await once(worker, "message");
    await worker.terminate();
    return errors;
  }

  const start = (): ChildProcess => fork(script, { stdio: ["ignore", "inherit", "ignore", "ipc"] });

  async function inProcess(child: ChildProcess, { disk = {}, ...order }: Order): Promise<string[]> {
    child.send({ path, disk, ...order });
    const [errors] = await once(child, "message");
    child.kill("SIGKILL");
    return errors;
  }

  test("threads of one process write to one file", async () => {
    const order = { times: 3, increments: 50 };
    const kv = open();
    const errors = await Promise.all([inThread(order), inThread(order), inThread(order)]);
    expect(errors.flat()).toEqual([]);
    expect(await kv.get("n")).toBe(450);
  });

  test("a thread cannot write to what another one reads only", async () => {
    await fill();
    const reader = open({ readOnly: true });
    expect(await reader.get("key")).toBe(1);
    const [error] = await inThread({ times: 1, increments: 1 });
    expect(error).toContain("other options: readOnly=true");
    expect(await inThread({ disk: { readOnly: true }, times: 1, increments: 0 })).toEqual([]);
    await reader.close();
    expect(await inThread({ times: 1, increments: 1 })).toEqual([]);
  });

  test("a thread is not told of writes too early because another one does not wait", async () => {
    await open().set("key", 1);
    const [error] = await inThread({ disk: { noSync: true }, times: 1, increments: 1 });
    expect(error).toContain("other options");
  });

  // LMDB lets whoever opens a file put back the number of the last transaction, and lets whoever
  // closes it as the last one destroy locks that others have just found. Without the look at the
  // last commit, some of the first hundred increments are lost.
  test("no commit is lost while others open and close the file", async () => {
    const times = Number(process.env.ANYKV_OPENINGS ?? 100);
    const kv = open({ timeout: 0 });
    await kv.set("n", 0);
    const order = { times, increments: 0, disk: { timeout: 0 } };
    const others = Promise.all([
      inProcess(start(), order),
      inProcess(start(), { ...order, disk: { readOnly: true } }),
      inProcess(start(), { ...order, increments: 1 }),
    ]);
    let going = true;
    void others.finally(() => {
      going = false;
    });
    let own = 0;
    let last = 0;
    while (going) {
      const sum = await kv.incrementBy("n", 1);
      expect(sum).toBeGreaterThan(last);
      last = sum;
      own++;
    }
    expect((await others).flat()).toEqual([]);
    expect(await kv.get("n")).toBe(own + times);
  }, 300_000);

  test("processes that make a file together all write to it, and the last one to go harms nobody", async () => {
    const rounds = Math.ceil(Number(process.env.ANYKV_OPENINGS ?? 100) / 5);
    const children = [start(), start(), start()];
    const order = { times: 1, increments: 2, disk: { timeout: 0, noSync: true } };
    const ask = async (child: ChildProcess, at: string): Promise<string[]> => {
      child.send({ path: at, ...order });
      const [errors] = await once(child, "message");
      return errors;
    };
    for (let round = 0; round < rounds; round++) {
      const at = join(directory, `store${round}`);
      const errors = await Promise.all(children.map((child) => ask(child, at)));
      expect(errors.flat()).toEqual([]);
      const kv = open({}, at);
      expect(await kv.get("n")).toBe(6);
      await kv.close();
    }
    for (const child of children) child.kill("SIGKILL");
  }, 300_000);
});
