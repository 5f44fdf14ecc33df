// Worker threads are terminated in the middle of writing: the process lives, others write on, and the
// store is good. ANYKV_TERMINATIONS sets their number.
//
// A worker is inside a write transaction then, in JavaScript. At other moments lmdb 3.5.6 may end the
// process: a thread that ends while it makes a native call gets an error which it cannot take any
// more (`napi_throw`). With ANYKV_TERMINATE=anywhere every other worker is terminated at any moment,
// aborts of that kind are counted, and the store has to be good all the same.
//
// On Node 20 processes that terminate workers of a store have aborted now and then ("Assertion failed:
// (data.first) != nullptr" in GetForegroundTaskRunner, which V8 calls when it has compiled in the
// background). Why is not known: 150 terminations without the flag below, and 1,455 of workers that
// only compile and use no store, did not show it (20.20.2). So on Node 20 the test runs with the flag,
// which keeps V8 from optimizing in the background, and says nothing about what happens without it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkCounts } from "../../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const terminations = Number(process.env.ANYKV_TERMINATIONS ?? 32);
const isNode20 = process.versions.node.startsWith("20.");
// From Node 26 on lmdb 3.5.6 ends the process (SIGSEGV): seen with 26.10, each time. It asks for the
// result of a call into the thread, which has none when the thread was terminated meanwhile.
const survives = Number.parseInt(process.versions.node, 10) < 26;

let compiled: CompiledPackage;
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  directory = mkdtempSync(join(tmpdir(), "anykv-terminated-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

async function run(path: string, rounds: number, mode: string) {
  const program = join(compiled.directory, "test/engines/lmdb/programs/terminated.js");
  const flags = isNode20 ? ["--no-concurrent-recompilation"] : [];
  const child = spawn(process.execPath, [...flags, program, path, `${rounds}`, mode]);
  const [stdout, stderr, [status, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { status, signal, stdout, stderr };
}

const timeout = 90_000 + terminations * 2_000;

test(
  `${terminations} workers are terminated in the middle of writing`,
  async () => {
    const path = join(directory, "store");
    const ended = await run(path, terminations, "");
    const alive = { status: 0, stdout: `${".".repeat(terminations)}alive\n` };
    expect(ended).toMatchObject(survives ? alive : { signal: "SIGSEGV" });
    await using kv = openKv({ backend: "disk", name: "after", path, trackKeys: true });
    if (survives) expect(await kv.get("rounds")).toBe(terminations);
    await checkCounts(kv);
  },
  timeout,
);

test("a process that aborts with a worker in the middle of writing harms nobody else", async () => {
  const path = join(directory, "aborted");
  await using kv = openKv({ backend: "disk", name: "other", path, trackKeys: true });
  for (let round = 1; round <= 3; round++) {
    const ended = await run(path, 1, "abort");
    expect(ended).toMatchObject({ signal: "SIGABRT", stdout: "" });
    expect(await kv.incrementBy("others", 1)).toBe(round);
    expect(await kv.exists("half")).toBe(false);
    await checkCounts(kv);
  }
}, 90_000);

test.runIf(process.env.ANYKV_TERMINATE === "anywhere")(
  `${terminations} workers, every other one terminated at any moment, leave the store good`,
  async () => {
    const path = join(directory, "anywhere");
    await using kv = openKv({ backend: "disk", name: "anywhere", path, trackKeys: true });
    let aborts = 0;
    for (let done = 0; done < terminations; ) {
      await kv.set("rounds", 0);
      const { status, signal, stdout, stderr } = await run(path, terminations - done, "anywhere");
      done += stdout.split(".").length - 1;
      if (status !== 0) {
        expect({ signal, stderr }).toMatchObject({
          signal: "SIGABRT",
          stderr: expect.stringContaining("napi_throw"),
        });
        done++;
        aborts++;
      }
      await checkCounts(kv);
    }
    console.info(`${terminations} terminations, half of them at any moment: ${aborts} aborts`);
  },
  timeout,
);
