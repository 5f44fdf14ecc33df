// The main job on Valkey: a server of its own that goes with it, or the one that it is told.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { describeWith, lackOfAny, startServer } from "../remote/servers.js";
import { numberIn, type ProgramRun, runProgram } from "./run-program.js";

let compiled: CompiledPackage;
let scratch = "";

beforeAll(async () => {
  compiled = await compilePackage("examples");
  scratch = mkdtempSync(join(tmpdir(), "anykv-main-job-valkey-"));
});

afterAll(() => {
  compiled.remove();
  rmSync(scratch, { recursive: true, force: true });
});

const short = ["--users", "24", "--records", "400", "--seconds", "0.3"];

function runJob(env: Record<string, string>, ...more: string[]): Promise<ProgramRun> {
  const main = join("examples", "main-job", "main.js");
  const args = [main, "--backend", "valkey", ...short, ...more];
  return runProgram(compiled, args, { env: { TMPDIR: scratch, VALKEY_URL: "", ...env } });
}

function expectPassed({ exitCode, errors, output }: ProgramRun): void {
  expect([exitCode, errors], output).toEqual([0, ""]);
  expect(output).toContain("All checks passed.");
  const loaded = numberIn(output, "accounts loaded");
  expect(loaded).toBeGreaterThanOrEqual(400);
  expect(numberIn(output, "completed")).toBe(loaded);
}

describeWith("the main job on valkey", lackOfAny(), () => {
  test.each([1, 3])("in %i processes, on a server of its own", async (processes) => {
    const run = await runJob({}, "--processes", `${processes}`);
    expectPassed(run);
    const told = /^On a server of its own, (\S+) on port (\d+), which goes with the job\.$/m;
    expect(run.output).toMatch(told);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("on the server in VALKEY_URL, where a finished job starts afresh", async () => {
    const server = await startServer();
    try {
      for (const found of ["Main job on valkey", "The job was finished: starting afresh."]) {
        const run = await runJob({ VALKEY_URL: server.url });
        expectPassed(run);
        expect(run.output).toContain("On the server in VALKEY_URL.\n");
        expect(run.output).toContain(found);
      }
      expect(await server.cli("dbsize")).not.toBe("0");
    } finally {
      await server.stop();
    }
  });
});

test("without a server it says what it needs", async () => {
  const { exitCode, errors } = await runJob({ PATH: "" });
  expect(exitCode).toBe(2);
  expect(errors).toContain("set VALKEY_URL, or put valkey-server or redis-server on the PATH");
});
