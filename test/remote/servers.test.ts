// Servers of the tests: they start, and no way of ending a test process leaves one behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  describeWith,
  guardian,
  lackOf,
  lackOfAny,
  startCluster,
  startServer,
  until,
} from "./servers.js";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describeWith("a server", lackOfAny(), () => {
  test("answers, and is gone after stop", async () => {
    const server = await startServer();
    expect(await server.cli("ping")).toBe("PONG");
    await server.stop();
    await until(() => !isAlive(server.pid));
  });

  test("that cannot start says why", async () => {
    await expect(startServer({ args: ["--no-such-option", "1"] })).rejects.toThrow(
      "no-such-option",
    );
  });

  test("is gone when the process that started it was killed", async () => {
    const words = JSON.stringify(["-c", guardian, "sh", "sleep", "600"]);
    const program = `require("child_process").spawn("sh", ${words}, { stdio: ["pipe", 1, 2] })`;
    const owner = spawn(process.execPath, ["-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(owner.stdout, "data");
    const pid = Number(/pid (\d+)/.exec(String(line))?.[1]);
    expect(isAlive(pid)).toBe(true);
    owner.kill("SIGKILL");
    await until(() => !isAlive(pid));
  });
});

describeWith("a cluster", lackOf("valkey"), () => {
  test("of six nodes is well", async () => {
    const cluster = await startCluster();
    expect(cluster.nodes).toHaveLength(6);
    expect(await cluster.nodes[5]?.cli("cluster", "info")).toContain("cluster_size:3");
    await cluster.stop();
  });
});
