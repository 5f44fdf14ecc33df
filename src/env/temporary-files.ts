// Temporary files: what is made beside a file before it gets that file's name.
//
//   <target>.<process tag>.<thread>-<count>.tmp
//
// The name tells whose it is, so what a killed process has left is removed by the next one that
// works on the same target, and what a living process is writing never is. Other files that belong
// to a temporary one have its name with a hyphen and more behind it.

import { basename, dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import type { Env } from "./env.js";
import { isDead, processTag, tagPattern } from "./process-tag.js";

let count = 0;

/** A name beside the target that nobody else uses, now or later. */
export async function temporaryName(env: Env, target: string): Promise<string> {
  const tag = processTag(env.processes);
  for (;;) {
    const name = `${target}.${tag}.${threadId}-${++count}.tmp`;
    // There is one where a process that nobody can tell from this one has left it.
    if ((await env.files.stat(name)) === undefined) return name;
  }
}

const temporaryPattern = new RegExp(`^(${tagPattern})\\.\\d+-\\d+\\.tmp(-.*)?$`);

/** Removes what dead processes have left beside the target. What cannot be removed stays. */
export async function removeAbandoned({ files, processes }: Env, target: string): Promise<void> {
  const directory = dirname(target);
  const prefix = `${basename(target)}.`;
  const names = await files.list(directory).catch((): string[] => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const tag = temporaryPattern.exec(name.slice(prefix.length))?.[1];
    if (tag === undefined || !isDead(tag, processes)) continue;
    await files.remove(join(directory, name)).catch(() => {});
  }
}
