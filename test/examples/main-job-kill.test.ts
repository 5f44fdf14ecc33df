// The main job on files, killed with -9 again and again: it goes on where it was.
//
// A witness inside the process writes down every grant and every completion on a pipe, which
// outlives it; between two runs the test opens the store and looks for itself. ANYKV_SEED draws
// other moments for the kills.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Kv, openKv } from "anykv";
import { seededRandom } from "anykv/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JobSchema } from "../../examples/main-job/schema.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const records = 3_000;

const witnessSource = `
import { writeSync } from "node:fs";
import { Kv } from "anykv";
function watch(method, describe) {
  const original = Kv.prototype[method];
  Kv.prototype[method] = async function (...args) {
    const result = await original.apply(this, args);
    const line = describe(result, ...args);
    if (line !== undefined) writeSync(3, line + "\\n");
    return result;
  };
}
watch("setMany", () => "loaded");
watch("claimRandom", (claim) => claim === null ? undefined : "granted " + claim.key + " " + claim.token);
watch("completeClaim", (done, { key, token }) => done ? "completed " + key + " " + token : undefined);
`;

let compiled: CompiledPackage;
let path = "";

beforeAll(async () => {
  compiled = await compilePackage("examples");
  compiled.script("witness.mjs", witnessSource);
});
afterAll(() => compiled.remove());
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "anykv-main-job-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

interface Run {
  /** null when it was killed. */
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
  /** What the witness wrote, in its order; a line that was cut is left out. */
  readonly lines: readonly string[];
}

/** Runs the job, and kills it as soon as `isEnough` says so of what it has said. */
function runJob(
  args: readonly string[],
  isEnough: (output: string, witnessed: number) => boolean = () => false,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const main = join("examples", "main-job", "main.js");
    const child = spawn(process.execPath, ["--import", "./witness.mjs", main, ...args], {
      cwd: compiled.directory,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const texts = { output: "", errors: "", witness: "" };
    const collect = (stream: unknown, name: keyof typeof texts): void => {
      (stream as Readable).setEncoding("utf8").on("data", (chunk: string) => {
        texts[name] += chunk;
        if (name === "witness") witnessed += chunk.split("\n").length - 1;
        if (isEnough(texts.output, witnessed)) child.kill("SIGKILL");
      });
    };
    let witnessed = 0;
    collect(child.stdout, "output");
    collect(child.stderr, "errors");
    collect(child.stdio[3], "witness");
    child.on("error", reject);
    child.on("close", (exitCode) => {
      const lines = texts.witness.split("\n").slice(0, -1);
      resolve({ exitCode, output: texts.output, errors: texts.errors, lines });
    });
  });
}

/** Tokens by account, as the lines of one kind tell them. */
function tokensIn(lines: readonly string[], kind: "granted" | "completed"): [string, number][] {
  return lines
    .map((line) => line.split(" "))
    .filter(([first]) => first === kind)
    .map(([, key = "", token]) => [key, Number(token)]);
}

interface Stored {
  readonly loaded: number;
  readonly finished: boolean;
  /** The account of each result that is no longer in the pool, and the token that wrote it. */
  readonly completed: Map<string, number>;
  readonly pool: number;
}

let looks = 0;

async function lookInside(): Promise<Stored> {
  const name = `look-${++looks}`;
  await using kv = openKv<JobSchema>({ backend: "wal", name, path });
  const results = await kv.list<{ token: number }>({ prefix: "result:" });
  const accounts = results.map(
    ({ key }) => `account:${Number(key.slice("result:".length))}` as const,
  );
  const present = await kv.getMany(accounts);
  const completed = new Map<string, number>();
  for (const [index, account] of accounts.entries()) {
    const token = results[index]?.value.token ?? 0;
    if (present[index]?.exists === false) completed.set(account, token);
  }
  const pool = await kv.count({ prefix: "account:" });
  const loaded = (await kv.find("job:loaded")) ?? 0;
  return { loaded, finished: await kv.exists("job:finished"), completed, pool };
}

/** The number that the table has in a row. */
function numberIn(output: string, name: string): number {
  const [, text = ""] = new RegExp(`^  ${name} +([\\d,]+)`, "m").exec(output) ?? [];
  return Number(text.replaceAll(",", "") || Number.NaN);
}

/** What has been completed so far, by account: the token that did it. */
type Completed = Map<string, number>;

/** Holds one run to what was completed before it; adds what it completed itself. */
function checkRun({ lines }: Run, completed: Completed): void {
  for (const [key] of tokensIn(lines, "granted")) {
    expect(completed.has(key), `${key} was handed out after it had been completed`).toBe(false);
  }
  for (const [key, token] of tokensIn(lines, "completed")) {
    expect(completed.has(key), `${key} was completed twice`).toBe(false);
    completed.set(key, token);
  }
}

const jobArgs = (...more: string[]): string[] => [
  ...["--backend", "wal", "--path", path, "--users", "40", "--records", String(records)],
  ...more,
];

/** When to kill: in the loading, in the taking up of what was there, and somewhere in the work. */
function moments(count: number, random: ReturnType<typeof seededRandom>) {
  const afterLines = (least: number) => (_: string, witnessed: number) => witnessed >= least;
  const atWork = Array.from({ length: count }, () => afterLines(1 + random.below(2 * records)));
  const takingUp = (output: string): boolean => output.includes("Main job on wal");
  return [afterLines(2), ...atWork, takingUp, afterLines(500 + random.below(500))];
}

describe(`the main job on wal, killed with -9, seed ${seed}`, () => {
  test("hands out nothing again that was completed, and loses nothing", async () => {
    const completed: Completed = new Map();
    let kills = 0;
    for (const isEnough of moments(4, seededRandom(seed))) {
      const before = completed.size;
      const run = await runJob(jobArgs("--seconds", "600"), isEnough);
      expect([run.exitCode, run.errors]).toEqual([null, ""]);
      kills++;
      const [, told] = /: ([\d,]+) accounts were completed before/.exec(run.output) ?? [];
      if (told !== undefined) expect(Number(told.replaceAll(",", ""))).toBe(before);
      checkRun(run, completed);
      const stored = await lookInside();
      expect(stored.finished).toBe(false);
      expect(stored.pool).toBe(stored.loaded - stored.completed.size);
      // What was acknowledged is there, by the hand that was told so.
      for (const [key, token] of completed)
        expect([key, stored.completed.get(key)]).toEqual([key, token]);
      // What was done but not acknowledged when the kill came counts from now on.
      for (const [key, token] of stored.completed) completed.set(key, token);
    }
    const before = completed.size;
    expect(before).toBeGreaterThan(0);
    const run = await runJob(jobArgs("--seconds", "0.1"));
    expect([run.exitCode, run.errors]).toEqual([0, ""]);
    expect(run.output).toContain(`Going on with the interrupted job in ${path}: `);
    checkRun(run, completed);
    const stored = await lookInside();
    expect(stored).toMatchObject({ finished: true, pool: 0, loaded: completed.size });
    expect(stored.completed).toEqual(completed);
    expect(numberIn(run.output, "completed by an earlier run")).toBe(before);
    expect(numberIn(run.output, "completed")).toBe(stored.loaded);
    expect(numberIn(run.output, "sum of the counters")).toBe(stored.loaded);
    console.info(
      `${kills} kills, ${before} of ${stored.loaded} accounts completed before the last run`,
    );
  });

  test("without syncWrites hands out nothing again that had reached the file", async () => {
    const args = jobArgs("--no-sync-writes", "--seconds", "600");
    const completed: Completed = new Map();
    let undone = 0;
    for (const isEnough of moments(2, seededRandom(seed + 1))) {
      const run = await runJob(args, isEnough);
      expect([run.exitCode, run.errors]).toEqual([null, ""]);
      const before = new Map(completed);
      checkRun(run, completed);
      const stored = await lookInside();
      for (const [key, token] of before)
        expect([key, stored.completed.get(key)]).toEqual([key, token]);
      undone += [...completed.keys()].filter((key) => !stored.completed.has(key)).length;
      completed.clear();
      for (const [key, token] of stored.completed) completed.set(key, token);
    }
    const run = await runJob(jobArgs("--no-sync-writes", "--seconds", "0.1"));
    expect([run.exitCode, run.errors]).toEqual([0, ""]);
    checkRun(run, completed);
    expect((await lookInside()).completed).toEqual(completed);
    console.info(`${undone} completions of the last milliseconds undone`);
  });
});

describe("the directory of the main job", () => {
  test("with a finished job in it: the next one starts afresh and says so", async () => {
    const args = ["--backend", "wal", "--path", path, "--users", "5", "--records", "20"];
    const first = await runJob([...args, "--seconds", "0.1"]);
    expect(first.output).toContain(`New job in ${path}: killed, it goes on when started again.`);
    const second = await runJob([...args, "--seconds", "0.1"]);
    expect([second.exitCode, second.errors]).toEqual([0, ""]);
    expect(second.output).toContain(`The job in ${path} was finished: starting afresh.`);
    expect(numberIn(second.output, "accounts loaded")).toBe((await lookInside()).loaded);
  });

  test("in which somebody else keeps something is left alone", async () => {
    const fillers: [string, (kv: Kv) => Promise<unknown>][] = [
      ["value", (kv) => kv.set("invoice:1", 100)],
      ["array", (kv) => kv.append("invoices", 100)],
    ];
    for (const [what, fill] of fillers) {
      const other = join(path, what);
      const options = { backend: "wal", name: what, path: other } as const;
      const kv = openKv(options);
      await fill(kv);
      await kv.close();
      const run = await runJob(["--backend", "wal", "--path", other]);
      expect([run.exitCode, run.output]).toEqual([2, ""]);
      expect(run.errors).toContain(`${other} holds something else: choose another --path`);
      await using again = openKv(options);
      expect((await again.size()) + (await again.length("invoices"))).toBe(1);
    }
  });

  test("that is in use is refused, with the owner", async () => {
    await using kv = openKv({ backend: "wal", name: "in-use", path });
    await kv.size();
    const run = await runJob(["--backend", "wal", "--path", path]);
    expect([run.exitCode, run.output]).toEqual([2, ""]);
    expect(run.errors).toContain(String(process.pid));
    expect(run.errors).toContain(path);
    expect(run.errors).toContain("Hint: ");
  });

  test("that cannot be one is refused", async () => {
    const file = join(compiled.directory, "package.json");
    const run = await runJob(["--backend", "wal", "--path", file]);
    expect([run.exitCode, run.output]).toEqual([2, ""]);
    expect(run.errors).toMatch(/^DiskPathError: /);
    expect(run.errors).toContain(file);
  });
});
