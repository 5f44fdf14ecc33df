// Runs the examples and the main job as they stand, and reads what they print.

import { readFileSync } from "node:fs";
import { openKv } from "anykv";
import { afterEach, describe, expect, test, vi } from "vitest";
import { mainJob } from "../../examples/main-job/job.js";
import { parseOptions } from "../../examples/main-job/options.js";
import type { JobSchema } from "../../examples/main-job/schema.js";
import { numberIn, row, runMainJob, Text } from "./main-job-output.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("small examples", () => {
  async function lines(load: () => Promise<unknown>): Promise<string[]> {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await load();
    return log.mock.calls.map((args) =>
      args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg))).join(" "),
    );
  }

  test("quick start", async () => {
    const printed = await lines(() => import("../../examples/quick-start.js"));
    expect(printed.splice(4, 1)[0]).toMatch(/^claimed: (Alice|Bob|Cleo)$/);
    expect(printed).toEqual([
      'user 1: {"name":"Alice"}',
      "user 9: ",
      "users: 3",
      "visits: 100",
      "claimed again: null",
      "completed: true",
      "users left: 2",
      "late write refused: true",
    ]);
  });

  test("job queue", async () => {
    expect(await lines(() => import("../../examples/job-queue.js"))).toEqual([
      "sent: 4",
      'failed: [{"to":"nobody@example.org","attempts":3}]',
      "waiting: 0",
    ]);
  });

  test("sessions", async () => {
    const printed = await lines(() => import("../../examples/sessions.js"));
    const reports = printed.splice(4, 1)[0];
    expect(reports?.match(/"attempt":(\d)/g)).toHaveLength(3);
    expect(new Set(reports?.match(/"attempt":(\d)/g)).size).toBe(1);
    expect(reports?.match(/"loaded":false/g)).toHaveLength(1);
    expect(printed).toEqual([
      "prolonged: true",
      'alice: {"user":"alice"}',
      "bob: ",
      "sessions: 1",
      "requests allowed: 3",
      "subscribed before: false",
      "subscribed before: true",
      "revoked: true false",
    ]);
  });

  test("what Simple KV is used for, over a restart", async () => {
    expect(await lines(() => import("../../examples/simple-kv.js"))).toEqual([
      "stores: sessions, cache, simple_kv",
      "sum: 332833500",
      "sum: 332833500",
      'configuration: {"theme":"dark","retries":3}',
      'session: {"user":"alice"}',
      "signed in: true false",
      "sum: 332833500",
      "computed: 1",
      "records replayed: 1",
      "files: LOCK, last_state, wal",
    ]);
  });
});

describe("main job", () => {
  test("a short run passes all checks and says so in its table", async () => {
    const { exitCode, output, errors } = await runMainJob("--seconds", "1", "--users", "100");
    expect(errors).toBe("");
    expect(output).toContain("All checks passed.");
    expect(exitCode).toBe(0);
    expect(row(output, "items handed out twice")).toEqual({ value: "0", mark: "ok" });
    const loaded = numberIn(output, "accounts loaded");
    expect(loaded).toBeGreaterThanOrEqual(7_184);
    expect(numberIn(output, "completed")).toBe(loaded);
    expect(numberIn(output, "sum of the counters")).toBe(loaded);
    expect(row(output, "sum of the counters")?.value).toMatch(/in 237 countries$/);
    expect(numberIn(output, "queue consumed")).toBe(loaded);
    const retried = numberIn(output, "retried after release or expiry");
    expect(numberIn(output, "claims handed out")).toBe(loaded + retried);
    expect(numberIn(output, "users crashed")).toBeGreaterThan(0);
    expect(numberIn(output, "leases expired and taken over")).toBeGreaterThan(0);
    expect(numberIn(output, "operations per second")).toBeGreaterThan(0);
  });

  test("goes on with the job of a process that was killed", async () => {
    const held = openKv<JobSchema>({ name: "main-job", backend: "memory" });
    const account = { code: "GKA", airport: "Goroka", city: "Goroka", country: "Papua" };
    await held.setMany({ "account:0": account, "account:2": account, "job:loaded": 3 });
    // 0 was written but not completed; 1 was completed, and the kill came before all that follows.
    await held.set("result:0", { country: "Papua", user: "user 1", token: 1 });
    await held.set("result:1", { country: "Papua", user: "user 2", token: 2 });
    // Left behind by the same process: half of what follows from accounts that are not there.
    await held.append("finished", "end");
    await held.incrementBy("completed:Atlantis", 3);
    await held.filter("completed").add("account:2");
    // The claim of a user who was killed with it.
    await held.claimKey("account:2", { ttl: 50 });
    const { exitCode, output } = await runMainJob(
      "--seconds",
      "0.1",
      "--users",
      "5",
      "--records",
      "9",
    );
    expect(output).toContain("All checks passed.");
    expect(exitCode).toBe(0);
    expect(numberIn(output, "completed by an earlier run")).toBe(1);
    expect(numberIn(output, "completed")).toBe(numberIn(output, "accounts loaded"));
    // A job that is through starts afresh.
    const next = await runMainJob("--seconds", "0.1", "--users", "5", "--records", "9");
    expect(next.exitCode).toBe(0);
    expect(row(next.output, "completed by an earlier run")).toBeUndefined();
    await held.close();
  });

  test("renews one line on a terminal", async () => {
    const output = new Text(true);
    const args = ["--seconds", "0.4", "--users", "3", "--records", "30"];
    expect(await mainJob(args, output, output)).toBe(0);
    const progress = output.text.split("\r\u001b[2K");
    expect(progress.length).toBeGreaterThan(2);
    for (const line of progress.slice(1, -1)) expect(line).not.toContain("\n");
  });

  test("says what is wrong with its options, and starts nothing", async () => {
    const cases: [string[], RegExp][] = [
      [["--frobnicate"], /Unknown option '--frobnicate'.*\n.*--help/s],
      [["stray"], /Unexpected argument 'stray'/],
      [["--users", "0"], /--users must be a whole number from 1 to 10000, got "0"/],
      [["--users", "1.5"], /--users must be a whole number/],
      [["--seconds", "soon"], /--seconds must be a number from 0.1 to 3600, got "soon"/],
      [["--seconds", ""], /--seconds must be a number/],
      [["--records=-1"], /--records must be/],
      [["--path", " "], /--path must name a directory or a file, got nothing\n.*--help/],
      [
        ["--processes", "4"],
        /--processes 4 needs .* disk, shared or valkey: a memory store .*\n.*--help/,
      ],
      [["--backend", "wal", "--processes", "2"], /a wal store belongs to one process/],
      [
        ["--backend", "disk", "--processes", "0"],
        /--processes must be a whole number from 1 to 64/,
      ],
      [
        ["--backend", "disk", "--processes", "4", "--users", "3"],
        /--processes must not exceed --users, got 4 for 3 users/,
      ],
      [["--no-sync-writes=1"], /--no-sync-writes/],
      [["--backend", "wal", "--path", "a\0b"], /^InvalidOptionsError: .*"path"/],
      [
        ["--backend", "floppy"],
        /^InvalidBackendError: .*memory, wal, disk, shared, valkey.*"floppy"/,
      ],
    ];
    for (const [args, message] of cases) {
      const { exitCode, output, errors } = await runMainJob(...args);
      expect({ args, exitCode, output }).toEqual({ args, exitCode: 2, output: "" });
      expect(errors).toMatch(message);
    }
  });

  test("a server that cannot be had is reported with its hint", async () => {
    vi.stubEnv("VALKEY_URL", "valkey://127.0.0.1:1");
    const { exitCode, errors } = await runMainJob("--backend", "valkey");
    expect(exitCode).toBe(2);
    expect(errors).toMatch(/^ServerConnectionError: valkey at 127\.0\.0\.1:1: .*\nHint: .*server/);
  });

  test("--help prints the options", async () => {
    const { exitCode, output, errors } = await runMainJob("--help");
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: "" });
    const options = [
      "backend",
      "path",
      "processes",
      "no-sync-writes",
      "users",
      "seconds",
      "records",
    ];
    for (const option of [...options, "quick", "help"]) expect(output).toContain(`--${option}`);
  });

  test("its files lie in a directory of its own that git ignores", () => {
    const { path, syncWrites } = parseOptions(["--backend", "wal"]);
    expect([path, syncWrites]).toEqual([".anykv.examples/main-job", true]);
    const ignored = readFileSync(new URL("../../.gitignore", import.meta.url), "utf8");
    expect(ignored.split("\n")).toContain(".anykv*");
    expect(parseOptions(["--backend", "disk"]).path).toBe(".anykv.examples/main-job.lmdb");
    expect(parseOptions(["--no-sync-writes"]).syncWrites).toBe(false);
  });

  test("--quick shortens the run, an explicit --seconds wins", () => {
    expect(parseOptions([]).seconds).toBe(8);
    expect(parseOptions(["--quick"]).seconds).toBe(2);
    expect(parseOptions(["--quick", "--seconds", "3"]).seconds).toBe(3);
  });
});
