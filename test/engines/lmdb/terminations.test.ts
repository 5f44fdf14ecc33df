// Worker threads are terminated in the middle of writing: the process lives, others write on, and the
// store is good. ANYKV_TERMINATIONS sets their number. With ANYKV_TERMINATE=anywhere every other worker
// is terminated at any moment: then lmdb 3.5.6 itself ends the process once in some hundred times, because
// its native code reports an error to a thread that cannot take one any more (`napi_throw`).
//
// On Node 20 processes that terminate workers of a store have aborted now and then ("Assertion failed:
// (data.first) != nullptr" in GetForegroundTaskRunner, which V8 calls when it has compiled in the
// background). Why is not known: 150 terminations without the flag below, and 1,455 of workers that
// only compile and use no store, did not show it (20.20.2). So on Node 20 the test runs with the flag,
// which keeps V8 from optimizing in the background, and says nothing about what happens without it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { checkCounts } from "./crowd.js";

const terminations = Number(process.env.ANYKV_TERMINATIONS ?? 16);
const isNode20 = process.versions.node.startsWith("20.");

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

test(
  `${terminations} workers are terminated in the middle of writing`,
  async () => {
    const path = join(directory, "store");
    const program = join(compiled.directory, "test/engines/lmdb/programs/terminated.js");
    const flags = isNode20 ? ["--no-concurrent-recompilation"] : [];
    const args = [...flags, program, path, `${terminations}`, process.env.ANYKV_TERMINATE ?? ""];
    const timeout = 60_000 + terminations * 2_000;
    const result = spawnSync(process.execPath, args, { encoding: "utf8", timeout });
    const { status, signal, stdout, stderr } = result;
    expect({ status, signal, stdout, stderr }).toMatchObject({ status: 0, stdout: "alive\n" });
    await using kv = openKv({ backend: "disk", name: "after", path, trackKeys: true });
    expect(await kv.get("rounds")).toBe(terminations);
    await checkCounts(kv);
  },
  90_000 + terminations * 2_000,
);
