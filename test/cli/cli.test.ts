// The command line: what is said where, and with which exit code.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { openKv } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCodesHelp } from "../../src/cli/exit-codes.js";
import { runCli } from "../../src/cli/program.js";
import type { Terminal } from "../../src/cli/terminal.js";
import type { Env } from "../../src/env/env.js";
import { SimulatedDisk } from "../../src/testing/simulated-disk.js";
import { envOn } from "../engines/wal/wal-files.js";

const path = "/store";
let disk: SimulatedDisk;
let env: Env;

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly progress: readonly (string | undefined)[];
  readonly questions: readonly string[];
}

/** `answer`: what somebody at the terminal says; undefined when there is nobody. */
async function run(args: readonly string[], answer?: boolean): Promise<Run> {
  const said = { out: "", error: "", progress: [] as (string | undefined)[], questions: [""] };
  said.questions.pop();
  const terminal: Terminal = {
    env,
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
    progress: (line) => said.progress.push(line),
    confirm: (question) => {
      said.questions.push(question);
      return answer === undefined ? undefined : Promise.resolve(answer);
    },
    flushed: () => Promise.resolve(true),
    input: () => Promise.resolve(new Uint8Array()),
    interruption: () => new AbortController().signal,
  };
  const code = await runCli(args, terminal);
  return { code, ...said };
}

async function fill(): Promise<void> {
  const wal = { segmentSize: "4KiB", syncWrites: true };
  const kv = openKv({ name: "cli", backend: "wal", path, env, wal });
  // Three to a segment, also where stored values are compressed.
  const filling = randomBytes(1_500).toString("base64");
  for (let number = 0; number < 12; number++) await kv.set(`key ${number % 4}`, number + filling);
  await kv.close();
}

/** A flipped bit in the first segment, which is not the last. */
function damage(): void {
  const [name] = disk.list(`${path}/wal`);
  const file = disk.entry(`${path}/wal/${name}`) as number;
  const byte = disk.shown(file)[60] ?? 0;
  disk.write(file, 60, Uint8Array.of(byte ^ 1));
}

describe("an URL", () => {
  const urls = ["valkey://:hunter2@a", "valkey:/:hunter2@a", "rediss:hunter2@a", "x://hunter2"];
  const commands = ["verify", "repair"].flatMap((command) => urls.map((url) => [command, url]));

  test.each(commands)("is no path of %s, and not repeated: %s", async (command, url) => {
    const { code, out, error } = await run([command as string, url as string, "--json"]);
    expect(code).toBe(2);
    expect(error).toContain(`${command} takes a path and no URL`);
    expect(out + error).not.toContain("hunter2");
  });

  test.each(urls.slice(1, 3))("without its slashes is no end of a copy: %s", async (url) => {
    await fill();
    for (const [end, args] of Object.entries({ FROM: [url, "to"], TO: [path, url] })) {
      const { code, out, error } = await run(["copy", ...args, "--json"]);
      expect(code).toBe(2);
      expect(error).toContain(`${end} is neither a path nor an URL`);
      expect(out + error).not.toContain("hunter2");
    }
  });
});

beforeEach(() => {
  disk = new SimulatedDisk();
  env = envOn(disk);
});

describe("verify", () => {
  beforeEach(fill);

  test("a store in order: 0", async () => {
    const { code, out, error, progress } = await run(["verify", path]);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toMatch(/^\/store: wal store, format version 1, \d files\n/);
    expect(out).toMatch(/The store is in order\.\n$/);
    expect(progress[0]).toMatch(/^verify 1\/\d 0+1\.log$/);
    expect(progress.at(-1)).toBeUndefined();
  });

  test("damage: 1, with file, byte and the command that helps", async () => {
    damage();
    const { code, out } = await run(["verify", path]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /1 problem:\n {2}wal\/0+1\.log at byte 36: unreadable frame \([\d,]+ bytes\)/,
    );
    expect(out).toContain("The store does not open: unreadable frame at byte 36");
  });

  test("--json prints the report and nothing else", async () => {
    damage();
    const { code, out } = await run(["verify", "--json", path]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ opens: false, problems: [{ offset: 36 }] });
  });

  test("a store in use: 3, with the number of the process", async () => {
    const kv = openKv({ name: "cli", backend: "wal", path, env });
    await kv.size();
    for (const command of ["verify", "repair"]) {
      const { code, out, error } = await run([command, path]);
      expect({ code, out }).toEqual({ code: 3, out: "" });
      expect(error).toContain(
        `in use by process ${process.pid} (ANYKV_DISK_STORE_OPEN)\n  this process has it open`,
      );
    }
    await kv.close();
  });
});

describe("repair", () => {
  beforeEach(fill);

  test("a store in order: 0, unasked", async () => {
    const { code, out, questions } = await run(["repair", path]);
    expect({ code, out, questions }).toEqual({
      ...{ code: 0, questions: [] },
      out: "/store: nothing to repair\n",
    });
  });

  test("nobody to ask: 2, and nothing is done", async () => {
    damage();
    const before = disk.changes;
    const { code, error } = await run(["repair", path]);
    expect(code).toBe(2);
    expect(error).toContain("Repeat it with --yes");
    expect(disk.changes).toBe(before);
  });

  test("a no: 2, and nothing is done", async () => {
    damage();
    const before = disk.changes;
    const { code, error, questions } = await run(["repair", path], false);
    expect({ code, asked: questions.length }).toEqual({ code: 2, asked: 1 });
    expect(error).toContain("unreadable frame");
    expect(disk.changes).toBe(before);
  });

  test.each([
    { title: "a yes", args: ["repair", path], answer: true },
    { title: "--yes", args: ["repair", "--yes", path], answer: undefined },
  ])("$title with a loss: 1, and what is lost", async ({ args, answer }) => {
    damage();
    const { code, out } = await run(args, answer);
    expect(code).toBe(1);
    expect(out).toMatch(/^\/store: repaired, \d+ rows, the next record is 1\d\n/);
    expect(out).toContain("Lost:\n  record");
    expect(out).toContain("files moved to /store/quarantine/");
    expect((await run(["verify", path])).code).toBe(0);
  });

  test("without a loss: 0", async () => {
    const [name] = disk.list(`${path}/wal`);
    disk.write(disk.entry(`${path}/wal/${name}`) as number, 0, Buffer.from("X"));
    const { code, out } = await run(["repair", "-y", path]);
    expect(code).toBe(0);
    expect(out).toContain("Nothing is lost.");
  });

  test("--json prints the report and nothing else", async () => {
    damage();
    const { out } = await run(["repair", "--yes", "--json", path]);
    expect(JSON.parse(out)).toMatchObject({ changed: true, lossless: false });
  });
});

describe("what cannot be done", () => {
  test.each(["verify", "repair"])("%s of what is no store: 3", async (command) => {
    disk.makeDirectory(path);
    const { code, out, error } = await run([command, path]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(error).toMatch(
      /^anykv: \/store is neither the file nor the directory of a store \(ANYKV_DISK_PATH\)\n {2}/,
    );
    expect(error).not.toMatch(/\n\s+at /);
  });

  test("--json tells errors on the standard output, too", async () => {
    const { code, out, error } = await run(["verify", "--json", path]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      error: { name: "DiskPathError", code: "ANYKV_DISK_PATH", hint: expect.any(String) },
    });
    expect(error).toContain("anykv:");
  });

  test("a defect of ours is told without a stack", async () => {
    env = {
      ...env,
      get files(): Env["files"] {
        throw new Error("a defect");
      },
    };
    const { code, error } = await run(["verify", path]);
    expect(code).toBe(3);
    expect(error).not.toMatch(/\n\s+at /);
  });
});

describe("usage", () => {
  test.each([
    [[]],
    [["verify"]],
    [["verify", path, "more"]],
    [["verify", "--frob", path]],
    [["frob", path]],
  ])("%j: 2, and a word of help", async (args) => {
    const { code, out, error } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(error).toContain("--help");
  });

  test.each([[["--help"]], [["verify", "--help"]], [["help", "repair"]], [["help", "copy"]]])(
    "%j: 0, with the exit codes",
    async (args) => {
      const { code, out, error } = await run(args);
      expect({ code, error }).toEqual({ code: 0, error: "" });
      expect(out).toContain(exitCodesHelp);
      if (args.length > 1) expect(out).toContain("Examples:\n  $ anykv");
    },
  );

  test("--version prints the package's", async () => {
    const manifest = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    expect((await run(["--version"])).out).toBe(`${manifest.version}\n`);
    expect(manifest.bin).toEqual({ anykv: "./dist/cli/main.js" });
  });
});

test("the document lists the exit codes as the help does", () => {
  const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
  const lines = [...exitCodesHelp.matchAll(/^ {2}(\d+) {2}(.*)$/gm)];
  expect(lines).toHaveLength(6);
  for (const [, code, meaning] of lines) expect(page).toContain(`| ${code} | ${meaning} |`);
});

afterEach(() => {
  expect(disk.list("/").filter((name) => name !== "store")).toEqual([]);
});
