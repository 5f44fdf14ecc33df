// Processes: what a lock has to know about whoever wrote it, to tell an owner from a memory of one.

import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface Processes {
  /** The number of this process. */
  readonly id: number;
  /** The name of this machine; numbers of processes mean nothing on another one. */
  readonly host: string;
  /**
   * Tells groups of processes on one machine apart in which numbers mean something else, such as
   * containers; "" where there is no such thing.
   */
  readonly namespace: string;
  /**
   * Tells a running process from every other one that had or will have its number; "" where the
   * system does not say, undefined for a process that is dead though it has not gone yet.
   */
  startOf(id: number): string | undefined;
  isRunning(id: number): boolean;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

// Linux tells when a process was started, in clock ticks since the system was, and draws a number
// for every start of the system: without it, a machine that starts the same way every day would
// give the same process the same number and ticks again.
function startOf(id: number): string | undefined {
  const stat = readText(`/proc/${id}/stat`);
  // The name of the program, in parentheses, may contain anything. After it come the state, which is
  // field 3, and so on; the start is field 22. Nobody has taken leave of a zombie yet, but it is dead.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields[19];
  if (fields[0] === "Z") return undefined;
  if (ticks === undefined) return "";
  return `${readText("/proc/sys/kernel/random/boot_id").trim()} ${ticks}`;
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

export const nodeProcesses: Processes = {
  id: process.pid,
  host: hostname(),
  namespace: namespace(),
  startOf,
  isRunning,
};
