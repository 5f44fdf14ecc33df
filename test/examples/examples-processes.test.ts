// Runs the examples between threads and processes as they stand: compiled, each in processes of its
// own, and the accounts of a test runner in a real one with four workers.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { runProgram } from "./run-program.js";

let compiled: CompiledPackage;

beforeAll(async () => {
  compiled = await compilePackage("examples");
});
afterAll(() => compiled.remove());

const example = (name: string): string[] => [join("examples", name)];

test("worker threads use every account once", async () => {
  const env = { POOL: `worker threads of ${process.pid}` };
  const run = await runProgram(compiled, example("worker-threads.js"), { env });
  expect(run).toEqual({
    exitCode: 0,
    errors: "",
    output: "accounts left: 0\naccounts used: 100\n",
  });
});

test("forked processes do every job, although one of them is killed", async () => {
  const run = await runProgram(compiled, example("forked-processes.js"));
  const output = "workers killed: 1\njobs left: 0\nresults: 50\n";
  expect(run).toEqual({ exitCode: 0, errors: "", output });
});

const accounts = 3;
const filesOfTests = 8;
const testsInFile = 5;

/** A project as a user would have it; each test tells when it had which account. */
function writeProject(directory: string, usedUp: boolean): void {
  mkdirSync(directory);
  const write = (name: string, source: string) => writeFileSync(join(directory, name), source);
  const all = Array.from({ length: usedUp ? 100 : accounts }, (_, index) => `user ${index}`);
  write(
    "vitest.config.mjs",
    `export default {
      resolve: { alias: { anykv: new URL("../dist/index.js", import.meta.url).pathname } },
      test: {
        include: ["*.test.mjs"], pool: "forks", maxWorkers: 4, globalSetup: "global-setup.mjs",
      },
    };`,
  );
  write(
    "global-setup.mjs",
    `import { fillPool } from "../examples/test-runner-accounts.js";
    export const setup = () => fillPool(${JSON.stringify(all)}.map((login) => ({ login })));`,
  );
  write(
    "account-test.mjs",
    `import { appendFileSync } from "node:fs";
    import { test as base } from "vitest";
    import { withAccount } from "../examples/test-runner-accounts.js";
    const tell = (what, { login }) => {
      const now = process.hrtime.bigint() / 1_000n;
      appendFileSync("told", [now, what, process.pid, login].join("\\t") + "\\n");
    };
    export const test = base.extend({
      account: ({}, use) => withAccount(async (account) => {
        tell("begins", account);
        await use(account);
        tell("ends", account);
      }, { usedUp: ${usedUp} }),
    });`,
  );
  for (let file = 0; file < filesOfTests; file++) {
    write(
      `file-${file}.test.mjs`,
      `import { setTimeout as sleep } from "node:timers/promises";
      import { test } from "./account-test.mjs";
      for (let number = 0; number < ${testsInFile}; number++) {
        test.concurrent("test " + number, async ({ account }) => {
          await sleep(10 + account.login.length);
        });
      }`,
    );
  }
}

interface Told {
  readonly at: number;
  readonly what: string;
  readonly pid: string;
  readonly login: string;
}

async function runTests(name: string, usedUp: boolean): Promise<Told[]> {
  const directory = join(compiled.directory, name);
  writeProject(directory, usedUp);
  const vitest = join(
    dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
    "vitest.mjs",
  );
  const args = [vitest, "run", "--root", directory, "--config", "vitest.config.mjs"];
  const run = await runProgram({ ...compiled, directory }, args, { env: { NO_COLOR: "1" } });
  expect(run.output + run.errors).toMatch(
    new RegExp(`Tests +${filesOfTests * testsInFile} passed \\(`),
  );
  expect(run.exitCode).toBe(0);
  const lines = readFileSync(join(directory, "told"), "utf8").trimEnd().split("\n");
  return lines
    .map((line) => {
      const [at = "", what = "", pid = "", login = ""] = line.split("\t");
      return { at: Number(at), what, pid, login };
    })
    .sort((a, b) => a.at - b.at);
}

test("the workers of a test runner never have the same account at the same time", async () => {
  const told = await runTests("lends", false);
  expect(told).toHaveLength(2 * filesOfTests * testsInFile);
  expect(new Set(told.map(({ pid }) => pid)).size).toBeGreaterThan(1);
  expect(new Set(told.map(({ login }) => login)).size).toBe(accounts);
  const inUse = new Set<string>();
  for (const { what, login } of told) {
    if (what === "begins") expect(inUse).not.toContain(login);
    if (what === "begins") inUse.add(login);
    else inUse.delete(login);
  }
});

test("the workers of a test runner use up every account once", async () => {
  const told = await runTests("uses-up", true);
  const begun = told.filter(({ what }) => what === "begins").map(({ login }) => login);
  expect(new Set(begun).size).toBe(filesOfTests * testsInFile);
  expect(begun).toHaveLength(filesOfTests * testsInFile);
});
