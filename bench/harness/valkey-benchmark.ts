// valkey-benchmark: the load that Valkey's own tool makes, and what it says of it.
//
// The tool reads replies without looking at them, but ends with an error when a server answers one:
// what has become of the data is for the workload to check.

import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { wrong } from "./answers.js";

const program = "valkey-benchmark";

export interface Load {
  /** As the tool calls it: "SET". */
  readonly command: string;
  readonly requests: number;
  /** Requests that a client sends before it reads the replies. */
  readonly depth: number;
  readonly clients: number;
  readonly valueBytes: number;
  /** Different keys; commands of lists have one. */
  readonly keys: number;
}

export interface Figures {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

export function isValkeyBenchmarkThere(): boolean {
  return spawnSync(program, ["--version"]).status === 0;
}

export async function runValkeyBenchmark(port: number, load: Load): Promise<Figures> {
  const { command, requests, depth, clients, valueBytes, keys } = load;
  const options = { p: port, n: requests, P: depth, c: clients, d: valueBytes, r: keys };
  const args = Object.entries(options).flatMap(([name, value]) => [`-${name}`, `${value}`]);
  const test = command.toLowerCase();
  const { stdout } = await promisify(execFile)(program, [...args, "-t", test, "--csv"]);
  return figuresIn(stdout, command);
}

/** One line of names, one of figures. */
function figuresIn(csv: string, command: string): Figures {
  const [names = [], cells = []] = csv
    .trim()
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.replaceAll('"', "")));
  const cell = (name: string): string => cells[names.indexOf(name)] ?? "";
  if (cell("test") !== command) wrong(program, command, csv);
  const [requestsPerSecond, p99Ms] = [Number(cell("rps")), Number(cell("p99_latency_ms"))];
  if (!(requestsPerSecond > 0 && p99Ms > 0)) wrong(program, "figures", csv);
  return { requestsPerSecond, p99Ms };
}
