// Opening a store while another process is stopped in the middle of a write: it waits as long as it
// was told to, the event loop turns meanwhile, and nobody who has given up is in anybody's way.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Neighbour, stopped, turn } from "./neighbour.js";

let compiled: CompiledPackage;
let directory = "";
let path = "";
let stores = 0;
let children: ChildProcess[] = [];
let handles: Kv[] = [];

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  directory = mkdtempSync(join(tmpdir(), "anykv-waits-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

beforeEach(() => {
  path = join(directory, `store-${++stores}`);
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await Promise.all(handles.map((kv) => kv.close()));
  handles = [];
});

function started(child: ChildProcess): ChildProcess {
  children.push(child);
  return child;
}

function neighbour(backend: "disk" | "shared" = "disk"): Neighbour {
  const other = new Neighbour(compiled, path, {}, backend);
  started(other.child);
  return other;
}

function open(disk: object): Kv {
  const kv = openKv({ backend: "disk", name: `waits-${++stores}`, path, disk });
  handles.push(kv);
  return kv;
}

/** A process that is stopped while it holds a file of LMDB that is not a store yet. */
async function stoppedMaker(): Promise<ChildProcess> {
  const script = compiled.script(
    "maker.mjs",
    `import { open } from "lmdb";
     const root = open(process.argv[2], { noSubdir: true, overlappingSync: false, maxDbs: 32 });
     root.transactionSync(() => process.kill(process.pid, "SIGSTOP"));
     await root.close();`,
  );
  const child = started(spawn(process.execPath, [script, path], { stdio: "inherit" }));
  await stopped(child);
  return child;
}

/** How a promise settles, and whether the event loop turned until then. */
async function observed(opening: Promise<unknown>): Promise<{ error: unknown; turns: number }> {
  let isSettled = false;
  const error = opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  void error.then(() => {
    isSettled = true;
  });
  let turns = 0;
  for (; !isSettled; turns++) await turn();
  return { error: await error, turns };
}

async function afterSomeTurns(): Promise<void> {
  for (let turns = 0; turns < 2_000; turns++) await turn();
}

/** As soon as the transaction that nobody waits for has ended. */
async function opened(): Promise<Kv> {
  for (;;) {
    const kv = open({ timeout: 0 });
    const { error } = await observed(kv.size());
    if (error === undefined) return kv;
    expect(error).toMatchObject({ message: expect.stringContaining("given up here") });
  }
}

const givenUp = {
  name: "DiskStoreOpenError",
  message: expect.stringContaining("for more than 300 ms"),
  hint: expect.stringContaining("timeout"),
};
/** Far fewer than there are in 300 ms, far more than an opening has that waits in its thread. */
const turnsMin = 200;

describe.runIf(process.platform === "linux")("while another process is stopped in a write", () => {
  test("a store is opened in vain for as long as it was told, and the event loop turns", async () => {
    const other = neighbour();
    const { written } = await other.stop();
    const kv = open({ timeout: 300 });
    const { error, turns } = await observed(kv.get("stopped"));
    expect(error).toMatchObject(givenUp);
    expect(turns).toBeGreaterThan(turnsMin);
    // Another attempt of this thread would wait for the first, which waits for this thread.
    const { error: refused } = await observed(open({ timeout: 0 }).size());
    expect(refused).toMatchObject({
      name: "DiskStoreOpenError",
      message: expect.stringContaining("given up here"),
    });
    other.goOn();
    await written;
    expect(await (await opened()).get("stopped")).toBe(true);
    expect(await other.call("get", "stopped")).toBe(true);
  });

  test("all who open it together are told the same", async () => {
    const other = neighbour();
    await other.stop();
    const all = [open({ timeout: 300 }), open({ timeout: 300 }), open({ readOnly: true })];
    const errors = await Promise.all(all.map((kv) => kv.size().catch((error: unknown) => error)));
    for (const error of errors) expect(error).toMatchObject(givenUp);
  });

  test("a store without a time-out is open when the other process goes on", async () => {
    const other = neighbour();
    const { written } = await other.stop();
    const kv = open({ timeout: 0 });
    let isOpen = false;
    const read = kv.get("stopped").then((value) => {
      isOpen = true;
      return value;
    });
    await afterSomeTurns();
    expect(isOpen).toBe(false);
    other.goOn();
    await written;
    expect(await read).toBe(true);
    await kv.set("here", 1);
    expect(await other.call("get", "here")).toBe(1);
  });

  test("a store without a time-out is open when the other process dies", async () => {
    const other = neighbour();
    await other.stop();
    const size = open({ timeout: 0 }).size();
    await afterSomeTurns();
    other.child.kill("SIGKILL");
    expect(await size).toBe(0);
  });

  test("a store is opened for reading at once", async () => {
    const other = neighbour();
    await other.call("set", "here", 1);
    await other.stop();
    expect(await open({ readOnly: true }).getMany(["here", "stopped"])).toMatchObject([
      { value: 1 },
      { exists: false },
    ]);
  });

  test("a new store is made when the file is free, and not before", async () => {
    const maker = await stoppedMaker();
    const { error, turns } = await observed(open({ timeout: 300 }).size());
    expect(error).toMatchObject(givenUp);
    expect(turns).toBeGreaterThan(turnsMin);
    const ended = once(maker, "exit");
    maker.kill("SIGCONT");
    await ended;
    const kv = await opened();
    await kv.set("here", 1);
    expect(await kv.listKeys()).toEqual(["here"]);
  });

  test("what has been given up makes nothing", async () => {
    const maker = await stoppedMaker();
    await observed(open({ timeout: 300 }).size());
    maker.kill("SIGCONT");
    // It is nothing to read as long as nobody has made a store of it.
    for (let isStuck = true; isStuck; ) {
      const { error } = await observed(open({ readOnly: true }).size());
      isStuck = (error as Error).message.includes("given up here");
      if (!isStuck) expect(error).toMatchObject({ name: "BucketNotFoundError" });
    }
  });

  test("a shared store is opened as long as it was told", async () => {
    path = `anykv-waits-${process.pid}-${stores}`;
    const other = neighbour("shared");
    const { written } = await other.stop();
    const timed = { backend: "shared", name: path, shared: { timeout: 300 } } as const;
    const kv = openKv(timed);
    const { error, turns } = await observed(kv.size());
    expect(error).toMatchObject(givenUp);
    expect(turns).toBeGreaterThan(turnsMin);
    await kv.close();
    other.goOn();
    await written;
    for (let isOpen = false; !isOpen; ) {
      await using again = openKv(timed);
      const { error: reason } = await observed(again.size());
      isOpen = reason === undefined;
      if (isOpen) expect(await again.get("stopped")).toBe(true);
      else expect(reason).toMatchObject({ message: expect.stringContaining("given up here") });
    }
  });

  test.each(["while it waits", "when it has given up"])("a process can end %s", async (when) => {
    const other = neighbour();
    await other.stop();
    const script = compiled.script(
      "leaving.mjs",
      `import { openKv } from "anykv";
       import { virtualEnv } from "anykv/testing";
       const [, , path, when] = process.argv;
       const { clock, random, files, processes } = virtualEnv({ now: Date.now() });
       const breathe = () => new Promise((resolve) => setImmediate(resolve));
       const leave = async () => {
         for (let turns = 0; turns < 100; turns++) await breathe();
         process.exit(7);
       };
       // The time-out is set when the waiting begins.
       const after = (delayMs, callback) => {
         if (when === "while it waits") leave();
         else setTimeout(callback, delayMs);
         return { cancel() {} };
       };
       const env = { clock, random, files, processes, timers: { after, breathe } };
       const kv = openKv({ backend: "disk", path, env, disk: { timeout: 300 } });
       await kv.size().catch(() => {});
       leave();`,
    );
    const args = [script, path, when];
    const child = started(spawn(process.execPath, args, { stdio: "inherit" }));
    const [code] = (await once(child, "exit")) as [number | null];
    // Where Node cannot be replaced by another program the process has to kill itself.
    expect(code).toBe("execve" in process ? 7 : null);
  });

  test("a program hears nothing of lmdb, whatever comes of its opening", async () => {
    const other = neighbour();
    await other.stop();
    const script = compiled.script(
      "silent.mjs",
      `import { openKv } from "anykv";
       const [, , path, fresh] = process.argv;
       for (const [name, disk] of [[path, { timeout: 200 }], [path, {}], [fresh, {}]]) {
         const kv = openKv({ backend: "disk", name: name + disk.timeout, path: name, disk });
         console.log(await kv.size().catch((error) => error.name));
         await kv.close();
       }
       process.exit();`,
    );
    writeFileSync(`${path}-fresh`, "");
    const child = started(spawn(process.execPath, [script, path, `${path}-fresh`]));
    let output = "";
    let errors = "";
    child.stdout?.on("data", (text) => {
      output += String(text);
    });
    child.stderr?.on("data", (text) => {
      errors += String(text);
    });
    await once(child, "close");
    expect({ output, errors }).toEqual({
      output: "DiskStoreOpenError\nDiskStoreOpenError\n0\n",
      errors: "",
    });
  });
});
