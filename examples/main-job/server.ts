// The server of a job on Valkey: the one that VALKEY_URL names, or one of its own for the run.
//
// A server of its own never outlives the job, however that ends: it runs beside a shell that waits
// for the end of its input, a pipe that only the job holds, and then ends it. Its data are in memory.

import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { UsageError } from "./options.js";

export interface JobServer {
  readonly url: string;
  /** What people are told about it. */
  readonly description: string;
  /** Whether the store goes with the job. */
  readonly isOwn: boolean;
  stop(): Promise<void>;
}

const guardian = `
  exec 2>/dev/null 3<&0
  "$@" </dev/null 3<&- & server=$!
  { read _ <&3; kill -9 $server; } >/dev/null 2>&1 & waiter=$!
  wait $server
  kill -9 $waiter`;

/** @throws UsageError when there is no server and none can be started. */
export async function serverOfJob(env = process.env): Promise<JobServer> {
  const url = env.VALKEY_URL ?? "";
  if (url !== "") {
    return { url, description: "the server in VALKEY_URL", isOwn: false, stop: async () => {} };
  }
  const names = ["valkey-server", "redis-server"];
  const program = names.map((name) => findProgram(name, env.PATH ?? "")).find(Boolean);
  if (program === undefined) {
    throw new UsageError(
      "--backend valkey needs a server: set VALKEY_URL, or put valkey-server or redis-server on the PATH",
    );
  }
  return startServer(program);
}

function findProgram(name: string, searchPath: string): string | undefined {
  const paths = searchPath.split(delimiter).filter((folder) => folder !== "");
  return paths.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

async function startServer(program: string): Promise<JobServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "anykv-main-job-server-"));
  const place = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory];
  const child = spawn(
    "sh",
    ["-c", guardian, "sh", program, ...place, "--save", "", "--appendonly", "no"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => {
      rmSync(directory, { recursive: true, force: true });
      resolve();
    });
  });
  let log = "";
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (log === "ready") return;
      log += text;
      if (!log.includes("Ready to accept connections")) return;
      log = "ready";
      resolve();
    });
  });
  await Promise.race([ready, ended]);
  if (log !== "ready") throw new UsageError(`${program} has not started:\n${log}`);
  return {
    url: `valkey://127.0.0.1:${port}`,
    description: `a server of its own, ${program} on port ${port}, which goes with the job`,
    isOwn: true,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
