// kill -9 in the middle of copies: the command that is given again goes on, and in the end the target
// is equal to the source, row by row. ANYKV_COPY_KILLS sets how often each copy is killed.
//
// A copy is killed before, in or after one of its writes, chosen by a seed that is printed. What
// verifies it is the command itself, in a process that may use little memory.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openKv } from "anykv";
import { seededRandom } from "anykv/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { describeWith, lackOfAny, type Server, startServer } from "../remote/servers.js";

const kills = Number(process.env.ANYKV_COPY_KILLS ?? 3);
/** More than fits into the memory of the process that copies them. */
const manyRows = 100_000;
const heapMb = 48;
/** What lives in memory may not be as much. */
const fewRows = 20_000;
const elements = 2_500;
const seed = Number(process.env.ANYKV_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** The command, with a source of its own in which one write kills the process. */
const killed = `
import { copyStore } from "./dist/transfer/copy.js";
import { openEnd, sourcePlace, targetPlace } from "./dist/cli/copy-ends.js";
import { nodeEnv } from "./dist/env/env.js";

const [fromText, toText, backend, number, when] = process.argv.slice(2);
const from = await openEnd(await sourcePlace(nodeEnv, fromText));
const to = await openEnd(await targetPlace(nodeEnv, toText, backend || undefined));
const kill = () => process.kill(process.pid, "SIGKILL");
const { put } = to.store.content;
let writes = 0;
to.store.content.put = (pieces) => {
  if (++writes < Number(number)) return put(pieces);
  if (when === "before") kill();
  const writing = put(pieces);
  if (when === "in") setImmediate(kill);
  else Promise.resolve(writing).then(kill);
  return writing;
};
await copyStore(
  { env: nodeEnv, signal: undefined, onProgress: undefined },
  { from, to, mode: "fill" },
);
`;

let compiled: CompiledPackage;
let script = "";
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage();
  script = compiled.script("killed.mjs", killed);
  directory = mkdtempSync(join(tmpdir(), "anykv-copy-kill-"));
}, 120_000);

async function makeSource(name: string, rows: number): Promise<string> {
  const path = join(directory, name);
  await using kv = openKv({ backend: "disk", name, path });
  const text = "x".repeat(500);
  for (let first = 0; first < rows; first += 10_000) {
    const keys = Array.from({ length: 10_000 }, (_, index) => first + index);
    const batch = Object.fromEntries(keys.map((number) => [`key:${number}`, { number, text }]));
    await kv.setMany(batch);
  }
  await kv.set("mortal", 1, { ttl: 86_400_000 });
  await Promise.all(Array.from({ length: elements }, (_, index) => kv.append("queue", index)));
  const filter = kv.filter("seen");
  await Promise.all(Array.from({ length: elements }, (_, index) => filter.add(`item ${index}`)));
  return path;
}

afterAll(() => {
  compiled.remove();
  rmSync(directory, { recursive: true, force: true });
});

function killedCopy(from: string, to: string, backend: string, ...at: string[]): Promise<string> {
  const child = spawn(process.execPath, [script, from, to, backend, ...at], { stdio: "inherit" });
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

interface Report {
  readonly resumed: boolean;
  readonly written: number;
  readonly kept: number;
  readonly tables: Readonly<Record<"values" | "arrays" | "filters", { readonly rows: number }>>;
}

async function copy(from: string, to: string, flags: string[] = []): Promise<Report> {
  const main = join(compiled.directory, "dist", "cli", "main.js");
  const args = [`--max-old-space-size=${heapMb}`, main, "copy", from, to, "--json", ...flags];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Report;
}

const totalOf = (rows: number): number => rows + 1 + 2 * elements;

/** A source of `rows` values, through kills into a target that becomes `backend` where it is new. */
async function copyThroughKills(
  from: string,
  to: string,
  rows: number,
  backend: string,
): Promise<void> {
  const { below } = seededRandom(seed);
  const moments = ["before", "in", "after"] as const;
  // Each run writes at least one page more than the one before has left.
  for (let kill = 0; kill < kills; kill++) {
    const number = `${1 + below(Math.floor(rows / 1_000 / kills))}`;
    const when = moments[below(3)] ?? "in";
    const end = await killedCopy(from, to, backend, number, when);
    expect(end, `seed ${seed}, kill ${kill} ${when} write ${number}`).toBe("SIGKILL");
  }
  const report = await copy(from, to, backend === "" ? [] : ["--backend", backend]);
  // A log that was killed in its first moments holds neither the note nor a row.
  const resumed = backend !== "wal" || report.kept > 0;
  expect(report, `seed ${seed}`).toMatchObject({
    resumed,
    tables: {
      values: { rows: rows + 1 },
      arrays: { rows: elements },
      filters: { rows: elements },
    },
  });
  expect(report.written + report.kept).toBe(totalOf(rows));
}

test(
  `from disk to wal and back, each killed ${kills} times`,
  async () => {
    const source = await makeSource("few", fewRows);
    await copyThroughKills(source, join(directory, "wal"), fewRows, "wal");
    await copyThroughKills(join(directory, "wal"), join(directory, "disk"), fewRows, "disk");
  },
  120_000 + kills * 60_000,
);

test("SIGINT and SIGTERM end it with 130, and it goes on", async () => {
  const source = await makeSource("interrupted", 10_000);
  const target = join(directory, "interrupted-copy");
  const main = join(compiled.directory, "dist", "cli", "main.js");
  for (const signal of ["SIGINT", "SIGTERM"]) {
    // As soon as somebody listens.
    const preload = compiled.script(
      `${signal}.mjs`,
      `const timer = setInterval(() => {
         if (process.listenerCount("${signal}") === 0) return;
         clearInterval(timer);
         process.kill(process.pid, "${signal}");
       });`,
    );
    const args = ["--import", preload, main, "copy", source, target];
    const run = promisify(execFile)(process.execPath, args);
    await expect(run).rejects.toMatchObject({
      code: 130,
      stderr: expect.stringContaining(`operation was canceled: ${signal}`),
    });
  }
  expect(await copy(source, target)).toMatchObject({ tables: { values: { rows: 10_001 } } });
}, 120_000);

describeWith("with a server", lackOfAny(), () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.stop());

  test(
    `from disk to the server and back, each killed ${kills} times`,
    async () => {
      const url = `${server.url}?name=killed&partitions=3`;
      const source = await makeSource("many", manyRows);
      await copyThroughKills(source, url, manyRows, "");
      await copyThroughKills(url, join(directory, "back"), manyRows, "disk");
      const copied = await copy(source, join(directory, "back"), ["--replace"]);
      expect(copied).toMatchObject({ written: 0, kept: totalOf(manyRows), removed: 0 });
    },
    120_000 + kills * 60_000,
  );
});
