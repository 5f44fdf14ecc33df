// What the real system tells of its processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { nodeProcesses } from "../../src/env/processes.js";

const { id, host, startOf, isRunning } = nodeProcesses;

test("this process is running, on this machine, since one moment", () => {
  expect(id).toBe(process.pid);
  expect(host).toBe(hostname());
  expect(isRunning(id)).toBe(true);
  expect(startOf(id)).toBe(startOf(id));
});

test("a process that was killed is not running", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  expect(isRunning(pid)).toBe(true);
  if (process.platform === "linux") {
    expect(startOf(pid)).toMatch(/^[-0-9a-f]{36} \d+$/);
    expect(startOf(pid)).not.toBe(startOf(id));
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isRunning(pid)).toBe(false);
  expect(startOf(pid)).toBe("");
});

// The shell's child becomes a zombie: the shell has become a program that never asks for it. The child
// dies only after that, because a shell asks for its own.
test.skipIf(process.platform !== "linux")("a zombie has no start", async () => {
  const shell = spawn("sh", ["-c", "sleep 61 & echo $!; exec sleep 60"]);
  try {
    const [output] = await once(shell.stdout, "data");
    const pid = Number(String(output));
    const commandOf = (of: number) => readFileSync(`/proc/${of}/cmdline`, "utf8");
    await expect.poll(() => commandOf(shell.pid ?? 0), { timeout: 10_000 }).toMatch(/^sleep\0/);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => startOf(pid), { timeout: 10_000 }).toBeUndefined();
    expect(isRunning(pid)).toBe(true);
  } finally {
    shell.kill("SIGKILL");
  }
});
