// Servers for tests: real ones, each in a scratch directory, on a free port of the loopback.
//
// No server outlives its test process, however that ends: each runs beside a shell that waits for
// the end of its input, which is a pipe that only this process holds, and then kills it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, test } from "vitest";

const run = promisify(execFile);

export type ServerKind = "valkey" | "redis";

export interface ServerOptions {
  readonly kind?: ServerKind;
  /** As on the command line: "--maxmemory", "10mb". */
  readonly args?: readonly string[];
  /** Scratch directory of an earlier server, to find its files again. */
  readonly directory?: string;
  /** What the log says when the server can be asked; default: that it accepts connections. */
  readonly readyWhen?: RegExp;
  readonly port?: number;
}

export interface Server {
  readonly kind: ServerKind;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** Of the server, for signals. */
  readonly pid: number;
  /** All that it has logged. */
  log(): string;
  /** Runs a command of the server by its command line client. */
  cli(...args: readonly string[]): Promise<string>;
  /** Kills it and removes its directory, unless told to keep that. */
  stop(options?: { keep: boolean }): Promise<void>;
}

/** The shell beside a server, which stands behind it on its command line. */
export const guardian = `
  exec 2>/dev/null 3<&0
  "$@" </dev/null 2>&1 3<&- & server=$!
  echo "pid $server"
  { read _ <&3; kill -9 $server; } >/dev/null 2>&1 & waiter=$!
  wait $server
  kill -9 $waiter`;

export function findProgram(name: string): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter).filter((place) => place !== "");
  return places
    .map((place) => join(place, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.stdin?.end();
});

const attemptsMax = 5;

/** Starts a server and waits until it can be asked. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, options.port ?? (await freePort()));
    } catch (error) {
      // Somebody else may have taken the port meanwhile.
      const isTaken = String(error).includes("in use");
      if (!isTaken || attempt === attemptsMax || options.port !== undefined) throw error;
    }
  }
}

async function startOnce(options: ServerOptions, port: number): Promise<Server> {
  const { kind = defaultKind(), args = [], readyWhen = /Ready to accept connections/ } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "anykv-server-"));
  const common = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory];
  const quiet = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", ""];
  const command = [`${kind}-server`, ...common, ...quiet, ...args];
  const child = spawn("sh", ["-c", guardian, "sh", ...command], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  let log = "";
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => {
      running.delete(child);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (readyWhen.test(log)) resolve();
      if (/Failed listening/.test(log)) child.stdin.end();
    });
    exited.then(() => reject(new Error(`${kind}-server has not started:\n${log}`)));
    child.on("error", reject);
  }).catch((error) => {
    child.stdin.end();
    throw error;
  });
  return {
    kind,
    host: "127.0.0.1",
    port,
    url: `valkey://127.0.0.1:${port}`,
    directory,
    pid: Number(/^pid (\d+)/m.exec(log)?.[1]),
    log: () => log,
    cli: async (...words) => {
      const { stdout } = await run(cliOf(kind), ["-p", `${port}`, ...words]);
      return stdout.trim();
    },
    stop: async ({ keep } = { keep: false }) => {
      child.stdin.end();
      await exited;
      if (!keep) rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface ClusterOptions {
  readonly kind?: ServerKind;
  readonly primaries?: number;
  readonly replicas?: number;
  readonly args?: readonly string[];
}

export interface Cluster {
  readonly nodes: readonly Server[];
  /** The addresses of all nodes, as `valkey.cluster` takes them. */
  readonly addresses: readonly string[];
  /** Starts a further node that belongs to no cluster yet. */
  spare(): Promise<Server>;
  /** Runs `valkey-cli --cluster <args>`. */
  manage(...args: readonly string[]): Promise<string>;
  /** Resolves when all living nodes agree that all is well. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a node is silent before the others call it dead. */
const nodeTimeoutMs = 1_500;

/** Three primaries with a replica each, unless told otherwise. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { kind = defaultKind(), primaries = 3, replicas = 1, args = [] } = options;
  const nodes: Server[] = [];
  const start = async (): Promise<Server> => {
    const own = ["--cluster-enabled", "yes", "--cluster-node-timeout", `${nodeTimeoutMs}`];
    const bus = ["--cluster-port", `${await freePort()}`];
    const server = await startServer({ kind, args: [...own, ...bus, ...args] });
    nodes.push(server);
    return server;
  };
  const manage = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await run(cliOf(kind), ["--cluster", ...words], { maxBuffer: 2 ** 26 });
    return stdout;
  };
  try {
    for (let index = 0; index < primaries * (1 + replicas); index++) await start();
    const addresses = nodes.map(addressOf);
    await manage("create", ...addresses, "--cluster-replicas", `${replicas}`, "--cluster-yes");
    const cluster: Cluster = {
      nodes,
      addresses,
      spare: start,
      manage,
      settled: () => until(() => isWell(nodes)),
      stop: async () => {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    };
    await cluster.settled();
    return cluster;
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw error;
  }
}

export function addressOf({ host, port }: Server): string {
  return `${host}:${port}`;
}

async function isWell(nodes: readonly Server[]): Promise<boolean> {
  const states = await Promise.all(
    nodes.map(async (node) => {
      const info = await node.cli("cluster", "info").catch(() => undefined);
      return info === undefined || (/cluster_state:ok/.test(info) && /slots_ok:16384/.test(info));
    }),
  );
  return states.every(Boolean);
}

/** Asks again and again, with pauses, until it is so: servers do not say when. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function cliOf(kind: ServerKind): string {
  return findProgram(`${kind}-cli`) ?? (kind === "valkey" ? "redis-cli" : "valkey-cli");
}

function defaultKind(): ServerKind {
  return findProgram("valkey-server") === undefined ? "redis" : "valkey";
}

/** Why tests with servers of these kinds cannot run here; undefined: they can. */
export function lackOf(...kinds: readonly ServerKind[]): string | undefined {
  const missing = kinds.map((kind) => `${kind}-server`).filter((name) => !findProgram(name));
  return missing.length === 0 ? undefined : `${missing.join(" and ")} must be on the PATH`;
}

/** Why tests that take any server cannot run here. */
export function lackOfAny(): string | undefined {
  const found = findProgram("valkey-server") ?? findProgram("redis-server");
  return found === undefined ? "valkey-server or redis-server must be on the PATH" : undefined;
}

/** A server that is there already may be named by VALKEY_URL; its other data are left alone. */
export function givenUrl(): string | undefined {
  const url = process.env.VALKEY_URL;
  return url === undefined || url === "" ? undefined : url;
}

/**
 * Registers tests that need what `lack` tells the lack of. Without it they fail where CI is set, and
 * elsewhere are one skipped test that says why.
 */
export function describeWith(title: string, lack: string | undefined, body: () => void): void {
  if (lack === undefined) {
    describe(title, body);
  } else if (process.env.CI) {
    test(title, () => {
      throw new Error(lack);
    });
  } else {
    console.warn(`${title}: skipped, ${lack}`);
    test.skip(`${title}: ${lack}`, () => {});
  }
}
