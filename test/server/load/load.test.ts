// Load: thousands of connections to a server in a process of its own, most of them idle, others at
// work on everything that the server offers, and a few that misbehave. Every reply is checked, every
// connection holds, and when all is over the server has the memory that it had before.
//
//   ANYKV_LOAD_SECONDS   how long, after a warm-up of a tenth of it, two minutes at most; default 3
//   ANYKV_LOAD_IDLE      idle connections; default 200
//   ANYKV_LOAD_ACTIVE    active ones; default 50
//   ANYKV_LOAD_RATE      steps in a second, of all of them together; default 2,000
//   ANYKV_SEED           of what the clients do; the order of their replies is up to the moment
//
// Memory is compared like this. All connections are opened and stay open to the end, but for those
// active ones that come and go. A round of the same load warms up: code is compiled, tables and
// buffers get the size that they need. Then all keys are removed, the garbage is collected, and the
// memory is measured: before. After the load the same connections are at rest, all keys are removed
// again, and it is measured again: after. In runs of less than five minutes what the engine learns about
// the code is more than a tenth of the heap, and nothing is expected of the figures.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { ClientsProcess, type Measured, programs, ServerProcess } from "./load-processes.js";
import { nuisances, type Seen, Visitor } from "./nuisances.js";
import type { Order, Report } from "./programs/load-clients.js";

const seconds = Number(process.env.ANYKV_LOAD_SECONDS ?? 3);
const idle = Number(process.env.ANYKV_LOAD_IDLE ?? 200);
const active = Number(process.env.ANYKV_LOAD_ACTIVE ?? 50);
const rate = Number(process.env.ANYKV_LOAD_RATE ?? 2_000);
const seed = Number(process.env.ANYKV_SEED ?? 1);

const clientProcesses = 2;
const isLong = seconds >= 300;
const warmUpMs = Math.min(120_000, Math.max(1_500, seconds * 100));
/** So often the memory is told meanwhile. */
const glanceMs = 300_000;
/** Who takes nothing for so long is cut off. */
const stallMs = isLong ? 10_000 : 500;
/** How long a slow client takes for a byte. */
const byteMs = isLong ? 1_000 : 20;

let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = await compilePackage(programs);
});
afterAll(() => compiled.remove());

/** Of the requests that were answered at once, in milliseconds. */
function quantile(reports: readonly Report[], part: number): number {
  const counts = new Map<number, number>();
  for (const [ms, count] of reports.flatMap(({ latencies }) => latencies)) {
    counts.set(ms, (counts.get(ms) ?? 0) + count);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  let left = sorted.reduce((sum, [, count]) => sum + count, 0) * part;
  for (const [ms, count] of sorted) {
    left -= count;
    if (left <= 0) return ms;
  }
  return 0;
}

function sum(reports: readonly Report[], of: (report: Report) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}

class Load {
  readonly clients: readonly ClientsProcess[];
  readonly #port: number;
  readonly #visitor: Visitor;
  cutOff = 0;
  slow = 0;

  constructor(clients: readonly ClientsProcess[], port: number, visitor: Visitor) {
    this.clients = clients;
    this.#port = port;
    this.#visitor = visitor;
  }

  /** By all processes at once. */
  async all(order: Order): Promise<Report[]> {
    const reports = await Promise.all(this.clients.map((process) => process.order(order)));
    expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
    return reports;
  }

  /** The load for so long, with those who misbehave; afterwards the server is empty. */
  async round(ms: number): Promise<Report[]> {
    const ending = new AbortController();
    const misbehaving = nuisances(this.#port, byteMs, ending.signal);
    misbehaving.catch(() => {});
    const working = this.all({ do: "work", ms });
    const reports = await working.finally(() => ending.abort());
    this.#note(await misbehaving);
    await this.all({ do: "settle" });
    const visitor = this.#visitor;
    const shared = sum(reports, (report) => report.shared);
    expect(await visitor.ask("GET", "shared")).toBe(`${shared}`);
    // Nobody else has been cut off.
    await expect.poll(() => visitor.told("client_connections_cut_off")).toBe(this.cutOff);
    const there = idle + active + clientProcesses + 1;
    await expect.poll(() => visitor.told("connected_clients")).toBe(there);
    expect(await visitor.told("blocked_clients")).toBe(0);
    return reports;
  }

  /** All that is left is the counter that all share, which goes on. */
  async keys(): Promise<unknown> {
    return this.#visitor.ask("KEYS", "*");
  }

  #note({ cutOff, slow, faults }: Seen): void {
    expect(faults).toEqual([]);
    this.cutOff += cutOff;
    this.slow += slow;
  }
}

function summary(
  load: Load,
  reports: readonly Report[],
  before: Measured,
  after: Measured,
): string {
  const [requests, connections] = [
    sum(reports, (report) => report.requests),
    sum(reports, (report) => report.connections),
  ];
  const [half, most, all] = [0.5, 0.99, 1].map((part) => quantile(reports, part));
  const cpu = ((after.cpuSeconds - before.cpuSeconds) / seconds).toFixed(2);
  const memory = (["heap", "rss", "external"] as const).map((kind) => {
    return `${kind}: ${mebibytes(before[kind])} MiB before, ${mebibytes(after[kind])} MiB after`;
  });
  return [
    `${requests} requests, ${connections} connections; ${load.cutOff} others that did not read were cut off`,
    `${load.slow} requests that came byte by byte, ${cpu} of a core for the server`,
    `steps of the first process: ${JSON.stringify(reports[0]?.steps)}`,
    `milliseconds for a reply: half ${half}, 99 % ${most}, all ${all}`,
    ...memory,
  ].join("\n");
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

test(`${idle} idle and ${active} active clients, ${seconds} s`, {
  timeout: 600_000 + seconds * 2_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "anykv-load-"));
  const path = join(directory, "socket");
  const limits = { outputLimit: "4MiB", subscriberLimit: "8MiB" };
  const server = new ServerProcess(compiled, {
    path,
    clientsMax: idle + active + 100,
    stallMs,
    ...limits,
  });
  const port = await server.opened();
  const clients = Array.from({ length: clientProcesses }, (_, number) => {
    const share = (count: number): number => Math.floor((count + number) / clientProcesses);
    const place = { port, path };
    const work = { place, idle: share(idle), active: share(active), rate: rate / clientProcesses };
    return new ClientsProcess(compiled, { name: `p${number}`, seed: seed * 10 + number, ...work });
  });
  try {
    const visitor = await Visitor.connect(port);
    const load = new Load(clients, port, visitor);
    await load.all({ do: "connect" });
    await load.round(warmUpMs);
    expect(await load.keys()).toEqual(["shared"]);
    const before = await server.measure();
    const glances = setInterval(async () => {
      const { heap, rss } = await server.measure("glance");
      console.info(`meanwhile: heap ${mebibytes(heap)} MiB, rss ${mebibytes(rss)} MiB`);
    }, glanceMs);
    const reports = await load.round(seconds * 1_000).finally(() => clearInterval(glances));
    expect(await load.keys()).toEqual(["shared"]);
    const after = await server.measure();
    console.info(summary(load, reports, before, after));
    if (isLong) {
      expect(after.heap / before.heap, "heap").toBeLessThan(1.1);
      expect(after.rss / before.rss, "rss").toBeLessThan(1.1);
      expect(load.slow).toBeGreaterThan(0);
    }
    await load.all({ do: "leave" });
    await expect.poll(() => visitor.told("connected_clients")).toBe(1);
    visitor.leave();
    expect(await server.close()).toBe(0);
  } finally {
    for (const process of [server, ...clients]) process.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});
