// Observation as a whole process sees it: what is loaded, which rejections go unhandled, and what
// the complete programs of the manual say. Each runs against the compiled sources in a process of
// its own.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let compiled: CompiledPackage;

beforeAll(async () => {
  compiled = await compilePackage();
});

afterAll(() => compiled.remove());

function run(source: string): { exitCode: number | null; output: string; errors: string } {
  const script = compiled.script("script.mjs", source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: compiled.directory,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { exitCode: status, output: stdout, errors: stderr };
}

test("prom-client is loaded for the text alone", () => {
  const { output, errors } = run(`
    import { createRequire } from "node:module";
    import { openKv } from "anykv";
    const { cache } = createRequire(import.meta.url);
    const report = (moment) => {
      const loaded = Object.keys(cache).some((path) => path.includes("prom-client"));
      console.log(moment, loaded);
    };
    report("imported");
    const kv = openKv({ backend: "memory", name: "a" });
    await kv.set("key", 1);
    report("used");
    await kv.reportStats();
    await kv.metrics();
    report("reported");
    const measured = openKv({ backend: "memory", name: "b", metrics: { operations: true } });
    await measured.set("key", 1);
    await measured.metrics();
    report("measured");
    await measured.metricsText();
    report("text");
  `);
  expect(errors).toBe("");
  const moments = ["imported", "used", "reported", "measured"].map((moment) => `${moment} false\n`);
  expect(output).toBe(`${moments.join("")}text true\n`);
});

const listening = `
  import { channel } from "node:diagnostics_channel";
  import { openKv } from "anykv";
  channel("tracing:anykv:operation:asyncEnd").subscribe(() => {});
  const kv = openKv({ backend: "memory", metrics: { operations: true } });
`;

test("a rejection that nobody handles stays unhandled", () => {
  const { exitCode, errors } = run(`${listening} kv.get("missing");`);
  expect(exitCode).toBe(1);
  expect(errors).toContain("KeyNotFoundError");
});

test("a handled rejection leaves no unhandled one behind", () => {
  const { exitCode, errors } = run(`${listening} kv.get("missing").catch(() => {});`);
  expect([exitCode, errors]).toEqual([0, ""]);
});

// Programs stand in `mjs` fences because they import more than anykv.
const manual = readFileSync(join(root, "docs", "observability.md"), "utf8");
const programs = [...manual.matchAll(/^```mjs\n(.*?)^```/gms)].map((match) => match[1] ?? "");

test("the manual has programs", () => expect(programs).toHaveLength(5));

test.each(programs.map((text, index) => [index + 1, text] as const))(
  "program %i of the manual does what it says",
  (_number, text) => {
    const checks = text.match(/ \/\/ => /g)?.length ?? 0;
    expect(checks).toBeGreaterThan(0);
    const { exitCode, output, errors } = run(`
      import { deepStrictEqual } from "node:assert";
      const check = (actual, expected) => {
        deepStrictEqual(actual, expected);
        console.log("checked");
      };
      ${text
        .replace('from "anykv"', 'from "anykv"')
        .replace(/^( *)(.+); \/\/ => (.+)$/gm, "$1check($2, $3);")}
    `);
    expect([exitCode, errors]).toEqual([0, ""]);
    expect(output).toBe("checked\n".repeat(checks));
  },
);
