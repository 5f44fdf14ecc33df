// A write resolves when it is on the disk: the system calls of a process show, in this order, that the
// pages were written and synced, that the header which makes them count was written durably, and only
// then that the caller was told.
//
// It needs Linux and strace; where that is missing the test is skipped and says why, and fails in
// continuous integration, as root.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const writes = 20;

const writerSource = `
import { writeSync } from "node:fs";
import { openKv } from "anykv";
const [path, noSync] = process.argv.slice(2);
const kv = openKv({ backend: "disk", name: "traced", path, disk: { noSync: noSync === "noSync" } });
await kv.set("first", 0);
for (let index = 0; index < ${writes}; index++) {
  writeSync(1, "asked " + index + "\\n");
  await kv.set("key", "value " + index);
  writeSync(1, "told " + index + "\\n");
}
await kv.close();
`;

let compiled: CompiledPackage;
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage();
  directory = mkdtempSync(join(tmpdir(), "anykv-traced-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

function missing(): string | undefined {
  if (process.platform !== "linux") return "system calls are traced on Linux only";
  const { status } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]);
  return status === 0 ? undefined : "strace is not installed, or may not trace";
}

type Step = "asked" | "told" | "page" | "sync" | "header";

/** What happened in one process, in the order in which it came to an end. */
function trace(mode: string): Step[] {
  const output = join(directory, `trace-${mode}`);
  const script = compiled.script("traced.mjs", writerSource);
  const calls = "openat,close,pwrite64,pwritev,write,writev,fdatasync,fsync,msync";
  const args = ["-f", "-y", "-s", "16", "-o", output, "-e", `trace=${calls}`];
  const store = join(directory, `store-${mode}`);
  const { status, stderr } = spawnSync("strace", [...args, process.execPath, script, store, mode], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stepsOf(readFileSync(output, "utf8"), store);
}

function stepsOf(text: string, store: string): Step[] {
  const steps: Step[] = [];
  const durable = new Set<string>();
  const unfinished = new Map<string, string>();
  for (const line of text.split("\n")) {
    const thread = line.split(" ", 1)[0] ?? "";
    if (line.includes("<unfinished ...>")) {
      unfinished.set(thread, line);
      continue;
    }
    const call = line.includes(" resumed>") ? `${unfinished.get(thread)}${line}` : line;
    const step = stepOf(call, store, durable);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

/** `durable` holds the descriptors whose writes are on the disk when they return. */
function stepOf(call: string, store: string, durable: Set<string>): Step | undefined {
  if (/\bwrite\(1</.test(call)) {
    if (call.includes('"asked')) return "asked";
    return call.includes('"told') ? "told" : undefined;
  }
  if (!call.includes(`${store}"`) && !call.includes(`<${store}>`)) return undefined;
  const opened = /openat\(.*O_DSYNC.*= (\d+)</.exec(call)?.[1];
  if (opened !== undefined) durable.add(opened);
  const [, name, descriptor = ""] = /\b(\w+)\((\d+)</.exec(call) ?? [];
  if (name === "close") durable.delete(descriptor);
  if (name === "fdatasync" || name === "fsync") return "sync";
  if (name === undefined || !name.includes("write")) return undefined;
  return durable.has(descriptor) ? "header" : "page";
}

/** What happened between asking and telling, once for each write. */
function rounds(steps: readonly Step[]): Step[][] {
  const found: Step[][] = [];
  let current: Step[] | undefined;
  for (const step of steps) {
    if (step === "asked") current = [];
    else if (step === "told") {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current?.push(step);
  }
  return found;
}

/** Pages, then a sync, then a header that is on the disk when its write returns. */
const durableRound = /^(page )+sync header( sync)?$/;

const reason = missing();

if (reason !== undefined) {
  const isRequired = Boolean(process.env.CI) && process.getuid?.() === 0;
  (isRequired ? test : test.skip)(`writes are durable: left out, because ${reason}`, () => {
    expect.fail(reason);
  });
} else {
  test("a write resolves when its pages and then its header are on the disk", () => {
    const traced = rounds(trace("sync"));
    expect(traced).toHaveLength(writes);
    for (const round of traced) expect(round.join(" ")).toMatch(durableRound);
  });

  test("with noSync nothing is synced before a write resolves", () => {
    const traced = rounds(trace("noSync"));
    expect(traced).toHaveLength(writes);
    expect(traced.filter((round) => durableRound.test(round.join(" ")))).toEqual([]);
    expect(traced.flat()).not.toContain("sync");
  });
}
