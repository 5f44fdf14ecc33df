// Process tag: a name for this process that is no other's, for names of files that it may leave behind.
//
//   <pid>.<where the pid means something>.<which process of that pid>
//
// Whoever finds such a file can tell whether its process is certainly dead; of processes on other
// machines and in other containers nobody here can tell.

import { createHash } from "node:crypto";
import type { Processes } from "./processes.js";

// Two places that are taken for one would make a living process a dead one.
const whereDigits = 12;
const startDigits = 8;

function digest(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

function whereIs({ host, namespace }: Processes): string {
  return digest(`${host} ${namespace}`, whereDigits);
}

const unknownStart = digest("", startDigits);

/** Form of a tag, for regular expressions. */
export const tagPattern = `\\d+\\.[0-9a-f]{${whereDigits}}\\.[0-9a-f]{${startDigits}}`;

export function processTag(processes: Processes): string {
  const { id } = processes;
  return `${id}.${whereIs(processes)}.${digest(processes.startOf(id) ?? "", startDigits)}`;
}

/** Whether the process of a tag, of which a name may begin with it, is certainly dead. */
export function isDead(tag: string, processes: Processes): boolean {
  const [pid, where, started] = tag.split(".");
  if (where !== whereIs(processes)) return false;
  if (!processes.isRunning(Number(pid))) return true;
  const start = processes.startOf(Number(pid));
  if (start === undefined) return true;
  return start !== "" && started !== unknownStart && started !== digest(start, startDigits);
}
