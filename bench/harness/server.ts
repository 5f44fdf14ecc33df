// Server: a Valkey of its own for a workload, in memory, on a free port of the loopback.
//
// It does not outlive the bench, however that ends: a shell beside it waits for the end of its input,
// a pipe that only this process holds, and then kills it.

import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import type { Readable, Writable } from "node:stream";

export interface BenchServer {
  readonly port: number;
  readonly url: string;
  /** Program and version. */
  readonly description: string;
  stop(): Promise<void>;
}

const guardian = `
  exec 2>/dev/null 3<&0
  "$@" </dev/null 3<&- & server=$!
  { read _ <&3; kill -9 $server; } >/dev/null 2>&1 & waiter=$!
  wait $server
  kill -9 $waiter`;

/** Ends with its input at the latest. */
export function startGuarded(
  command: readonly string[],
): ChildProcessByStdio<Writable, Readable, null> {
  return spawn("sh", ["-c", guardian, "sh", ...command], { stdio: ["pipe", "pipe", "inherit"] });
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** The version that a program tells; undefined when it is not on the PATH. */
function versionOf(program: string): string | undefined {
  const { stdout, status } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 ? /v=(\S+)/.exec(stdout)?.[1] : undefined;
}

export async function startBenchServer(directory: string): Promise<BenchServer> {
  const found = ["valkey-server", "redis-server"]
    .map((program) => ({ program, version: versionOf(program) }))
    .find(({ version }) => version !== undefined);
  if (found === undefined) {
    throw new Error("these workloads need valkey-server or redis-server on the PATH");
  }
  const { program, version } = found;
  const port = await freePort();
  const place = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory];
  const volatile = ["--save", "", "--appendonly", "no"];
  const child = startGuarded([program, ...place, ...volatile]);
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let log = "";
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("Ready to accept connections")) resolve(true);
    });
  });
  if (!(await Promise.race([ready, ended]))) throw new Error(`${program} does not start:\n${log}`);
  return {
    port,
    url: `valkey://127.0.0.1:${port}`,
    description: `${program} ${version}`,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
