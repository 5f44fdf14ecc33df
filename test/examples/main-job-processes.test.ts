// The main job in several processes on one store: what it promises, that it sees stores which break
// their promises between processes, and what kill -9 of one of them, or of all, leaves behind.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { JobKv, JobSchema } from "../../examples/main-job/schema.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { isAlive, numberIn, type ProgramOptions, runProgram } from "./run-program.js";

let compiled: CompiledPackage;
let directory = "";
let path = "";

beforeAll(async () => {
  compiled = await compilePackage("examples");
});
afterAll(() => compiled.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-main-job-processes-"));
  path = join(directory, "store");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const main = join("examples", "main-job", "main.js");

function runJob(args: readonly string[], options?: ProgramOptions) {
  const store = args.includes("--backend") ? [] : ["--backend", "disk", "--path", path];
  return runProgram(compiled, [main, ...store, ...args], options);
}

/** A job of some two seconds. */
const short = ["--processes", "4", "--users", "24", "--records", "400", "--seconds", "0.3"];

/** The processes of users, as the job names them. */
function pidsIn(output: string): number[] {
  const [, pids = ""] = /^Users in \d+ processes: ([\d, ]+)$/m.exec(output) ?? [];
  return pids.split(", ").map(Number);
}

describe("the main job in four processes", () => {
  test.each(["disk", "shared"])(
    "passes all checks on %s and leaves no files behind",
    async (backend) => {
      const scratch = join(directory, "tmp");
      mkdirSync(scratch);
      const where = backend === "disk" ? ["--path", path] : [];
      const run = await runJob(["--backend", backend, ...where, ...short], {
        env: { TMPDIR: scratch },
      });
      expect([run.exitCode, run.errors], run.output).toEqual([0, ""]);
      expect(run.output).toContain("All checks passed.");
      expect(new Set(pidsIn(run.output)).size).toBe(4);
      const loaded = numberIn(run.output, "accounts loaded");
      expect(loaded).toBeGreaterThanOrEqual(400);
      for (const row of ["completed", "sum of the counters", "queue consumed"]) {
        expect(numberIn(run.output, row)).toBe(loaded);
      }
      const again = numberIn(run.output, "retried after release or expiry");
      expect(numberIn(run.output, "claims handed out")).toBe(loaded + again);
      expect(readdirSync(scratch)).toEqual([]);
    },
  );
});

// Each of these breaks a promise between processes, in all of them.
describe("the main job in processes, on a store that breaks its promises", () => {
  const onceIn = (calls: number): string => `const now = () => ++calls % ${calls} === 0;`;

  /** The breakage, the rows that have to fail (others may, too), and how a method breaks; more arguments. */
  const breakages: [string, string[], keyof JobKv & string, string, string[]][] = [
    [
      "hands out to one process what another one holds",
      ["items handed out twice", "violations seen by the referee"],
      "claimRandom",
      `${onceIn(2)} return async function (options) {
        const claim = await original.call(this, options);
        if (claim !== null && now()) await this.releaseClaim(claim);
        return claim;
      };`,
      // So few accounts that somebody else soon asks for the same.
      ["--records", "24", "--seconds", "1"],
    ],
    [
      "numbers tokens in each process for itself",
      ["violations seen by the referee"],
      "claimRandom",
      `${onceIn(10)} return async function (options) {
        const claim = await original.call(this, options);
        return claim !== null && now() ? { ...claim, token: calls } : claim;
      };`,
      [],
    ],
    [
      "hands out completed accounts",
      ["items handed out twice", "violations seen by the referee", "completed"],
      "completeClaim",
      `${onceIn(10)} return function (claim, options) {
        return now() ? this.releaseClaim(claim) : original.call(this, claim, options);
      };`,
      [],
    ],
    [
      "accepts the writes of stale holders",
      ["stale holders refused"],
      "set",
      "return function (key, value) { return original.call(this, key, value); };",
      // Enough accounts for users who crash.
      ["--records", "1200"],
    ],
    [
      "loses increments",
      ["sum of the counters"],
      "incrementBy",
      `${onceIn(20)} return async function (key, delta) {
        return now() ? 0 : original.call(this, key, delta);
      };`,
      [],
    ],
    [
      "serves elements of the queue twice",
      ["queue consumed"],
      "append",
      `${onceIn(20)} return async function (key, value) {
        if (value !== "end" && now()) await original.call(this, key, value);
        return original.call(this, key, value);
      };`,
      [],
    ],
  ];

  test.each(breakages)("%s", async (name, failing, method, source, more) => {
    const preload = compiled.script(
      `${name.replaceAll(" ", "-")}.mjs`,
      `import { Kv } from "anykv";
      let calls = 0;
      const original = Kv.prototype.${method};
      Kv.prototype.${method} = (() => { ${source} })();`,
    );
    const run = await runJob([...two, ...more], { preload });
    expect(run.exitCode, run.output + run.errors).toBe(1);
    const failed = /^Failed: (.*)\.$/m.exec(run.output)?.[1]?.split(", ");
    expect(failed, run.output).toEqual(expect.arrayContaining(failing));
  });
});

const two = ["--processes", "2", "--users", "20", "--records", "300", "--seconds", "0.1"];

describe("the main job when one of its processes is killed with -9", () => {
  test.each(["disk", "shared"])("goes on, and says so, on %s", async (backend) => {
    let killed: number | undefined;
    const where = ["--backend", backend, "--path", path];
    const args = [
      ...where,
      "--processes",
      "4",
      "--users",
      "24",
      "--records",
      "1200",
      "--seconds",
      "0.1",
    ];
    const run = await runJob(args, {
      onOutput: (output) => {
        if (killed !== undefined || !/ [1-9][\d,]* completed\n/.test(output)) return;
        killed = pidsIn(output)[1] ?? 0;
        process.kill(killed, "SIGKILL");
      },
    });
    expect([run.exitCode, run.errors], run.output).toEqual([0, ""]);
    expect(run.output).toContain(
      `Process 2 (${killed}) was killed by SIGKILL: its leases run out, the others go on.`,
    );
    expect(numberIn(run.output, "completed")).toBe(numberIn(run.output, "accounts loaded"));
  });

  /** A process kills itself between two steps: after which call, of how many. */
  const moments: [string, string, number][] = [
    ["an account has been claimed", "Kv.prototype.claimRandom", 20],
    ["a result has been written", "Kv.prototype.set", 20],
    ["an account has been completed", "Kv.prototype.completeClaim", 20],
    ["the filter knows of it", "Filter.prototype.checkThenAdd", 20],
    ["it has been counted, or reported", "Kv.prototype.incrementBy", 33],
    ["it has been queued", "Kv.prototype.append", 20],
    ["the report has taken it from the queue", "Kv.prototype.popFirst", 12],
  ];

  /** Kills the first process of users that has come so far, right after the call. */
  function suicide(name: string, target: string, calls: number, more = ""): ProgramOptions {
    const preload = compiled.script(
      `${name.replaceAll(" ", "-")}.mjs`,
      `import { closeSync, openSync } from "node:fs";
      import { Kv } from "anykv";
      import { Filter } from "./dist/kv/filter.js";
      const original = ${target};
      let calls = 0;
      function isFirst() {
        try {
          closeSync(openSync(process.env.VICTIM, "wx"));
          return true;
        } catch {
          return false;
        }
      }
      if (process.argv[2]?.startsWith("{")) ${target} = async function (...args) {
        const result = await original.apply(this, args);
        if (result !== null && ++calls === ${calls} && isFirst()) process.kill(process.pid, "SIGKILL");
        return result;
      };
      ${more}`,
    );
    return { preload, env: { VICTIM: join(directory, "victim") } };
  }

  test.each(moments)("right after %s, comes out exact", async (name, target, calls) => {
    const run = await runJob(two, suicide(name, target, calls));
    expect([run.exitCode, run.errors], run.output).toEqual([0, ""]);
    expect(run.output).toMatch(/^Process [12] \(\d+\) was killed by SIGKILL: /m);
    const loaded = numberIn(run.output, "accounts loaded");
    for (const row of ["completed", "sum of the counters", "queue consumed"]) {
      expect(numberIn(run.output, row), row).toBe(loaded);
    }
  });

  test("still sees what the store has lost beside", async () => {
    const loses = `
      const increment = Kv.prototype.incrementBy;
      let increments = 0;
      Kv.prototype.incrementBy = async function (key, delta) {
        return ++increments % 3 === 0 ? 0 : increment.call(this, key, delta);
      };`;
    const target = "Kv.prototype.completeClaim";
    const run = await runJob(two, suicide("and-loses", target, 20, loses));
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toMatch(/^Failed: .*violations seen by the referee/m);
  });

  test("fails when nobody is left, and can be gone on with", async () => {
    const preload = compiled.script(
      "all-of-them.mjs",
      `import { Kv } from "anykv";
      const original = Kv.prototype.set;
      let calls = 0;
      if (process.argv[2]?.startsWith("{")) Kv.prototype.set = function (...args) {
        if (++calls === 20) process.kill(process.pid, "SIGKILL");
        return original.apply(this, args);
      };`,
    );
    const run = await runJob(two, { preload });
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toMatch(/^Failed: completed/m);
    const next = await runJob(two);
    expect([next.exitCode, next.errors], next.output).toEqual([0, ""]);
    expect(next.output).toContain("Going on with the interrupted job");
  });
});

describe("the main job in processes, all of them killed with -9", () => {
  // Every process writes down what it was told, in a file that outlives it.
  const witnessSource = `
    import { appendFileSync } from "node:fs";
    import { Kv } from "anykv";
    function watch(method, describe) {
      const original = Kv.prototype[method];
      Kv.prototype[method] = async function (...args) {
        const result = await original.apply(this, args);
        const line = describe(result, ...args);
        if (line !== undefined) appendFileSync(process.env.WITNESS, line + "\\n");
        return result;
      };
    }
    watch("claimRandom", (claim) => claim === null ? undefined : "granted " + claim.key);
    watch("completeClaim", (done, { key }) => done ? "completed " + key : undefined);
  `;

  const args = ["--processes", "4", "--users", "40", "--records", "1500"];

  /** Kills the whole group, or the one process that has started the others. */
  async function runKilled(preload: string, witness: string, what: "all" | "parent") {
    let pids: number[] = [];
    const run = await runJob([...args, "--seconds", "600"], {
      preload,
      env: { WITNESS: witness },
      onOutput: (output, pid) => {
        if (!/ [1-9][\d,]* completed\n/.test(output)) return;
        pids = pidsIn(output);
        process.kill(what === "all" ? -pid : pid, "SIGKILL");
      },
    });
    expect([run.exitCode, run.errors]).toEqual([null, ""]);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 10_000);
    return run;
  }

  async function completedInStore(): Promise<Set<string>> {
    await using kv = openKv<JobSchema>({ backend: "disk", name: "look", path });
    const results = await kv.listKeys({ prefix: "result:" });
    const accounts = results.map((key) => key.replace("result:", "account:"));
    const inPool = await kv.getMany(accounts as `account:${number}`[]);
    return new Set(accounts.filter((_, index) => inPool[index]?.exists === false));
  }

  test("goes on where it was, and hands out nothing again that was completed", async () => {
    const preload = compiled.script("witness.mjs", witnessSource);
    const completed = new Set<string>();
    const check = (witness: string): void => {
      const lines = readFileSync(witness, "utf8").trimEnd().split("\n");
      for (const line of lines) {
        const [kind, account = ""] = line.split(" ");
        if (kind === "granted") expect(completed).not.toContain(account);
      }
      for (const line of lines) {
        if (line.startsWith("completed ")) completed.add(line.slice("completed ".length));
      }
    };
    for (const [round, what] of (["all", "parent", "all"] as const).entries()) {
      const witness = join(directory, `witness-${round}`);
      const run = await runKilled(preload, witness, what);
      if (round > 0) expect(run.output).toContain("Going on with the interrupted job in");
      check(witness);
      const stored = await completedInStore();
      for (const account of completed) expect(stored).toContain(account);
      // What was done but not told when the kill came counts from now on.
      for (const account of stored) completed.add(account);
    }
    const witness = join(directory, "witness-last");
    const options = { preload, env: { WITNESS: witness } };
    const run = await runJob([...args, "--seconds", "0.1"], options);
    expect([run.exitCode, run.errors], run.output).toEqual([0, ""]);
    expect(numberIn(run.output, "completed by an earlier run")).toBe(completed.size);
    check(witness);
    expect(numberIn(run.output, "completed")).toBe(completed.size);
    expect(await completedInStore()).toEqual(completed);
  }, 180_000);
});
