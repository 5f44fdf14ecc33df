// The witness: an outside process, the test, that remembers what a writer acknowledged before it
// was stopped, and holds the reopened store to it.
//
// The writer adds to a counter, appends to a queue, and claims and completes an item, and says so
// when what it did is as safe as the test wants it. What was said on a pipe outlives the writer.

import { spawn } from "node:child_process";
import type { Kv } from "anykv";
import { expect } from "vitest";

/**
 * When the writer says a line: as soon as it is acknowledged (`syncWrites: true`), or, without
 * `syncWrites`, when the log reports its record as written to the file, or as on the disk.
 */
export type Level = "acknowledged" | "written" | "durable";

const items = 20_000;

export const writerSource = `
import { writeSync } from "node:fs";
import { openKv } from "anykv";
const [path, level] = process.argv.slice(2);
const syncWrites = level === "acknowledged";
const wal = {
  syncWrites,
  flushInterval: syncWrites ? undefined : 20,
  segmentSize: 65536,
  snapshotEvery: 262144,
};
const kv = openKv({ backend: "wal", name: "witnessed", path, wal });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
if (!(await kv.exists("loaded"))) {
  const entries = { loaded: true };
  for (let i = 0; i < ${items}; i++) entries["item:" + i] = i;
  await kv.setMany(entries);
}
writeSync(1, "ready\\n");
for (;;) {
  const count = await kv.incrementBy("count", 1);
  const length = await kv.append("queue", count);
  const claim = await kv.claimRandom({ prefix: "item:", ttl: 60_000 });
  await kv.completeClaim(claim);
  if (!syncWrites) {
    const { appended } = (await kv.stats()).disk.log;
    while ((await kv.stats()).disk.log[level] < appended) await nextTurn();
  }
  writeSync(1, count + " " + length + " " + claim.key + " " + claim.token + "\\n");
}
`;

interface Said {
  readonly counts: number[];
  readonly lengths: number[];
  readonly completed: string[];
  readonly tokens: number[];
}

/** What all rounds together were told. */
export interface Memory {
  readonly completed: Set<string>;
  lastToken: number;
}

function parse(text: string): Said {
  // The last line may have been cut; what is not whole was not said.
  const lines = text.split("\n").slice(0, -1);
  const fields = lines.filter((line) => line !== "ready").map((line) => line.split(" "));
  return {
    counts: fields.map(([count]) => Number(count)),
    lengths: fields.map(([, length]) => Number(length)),
    completed: fields.map(([, , key]) => key as string),
    tokens: fields.map(([, , , token]) => Number(token)),
  };
}

/**
 * Runs the writer until it has said `lines` lines, then calls `stop`, which pulls the rug, and kills
 * what is left of it; resolves with what it had said.
 */
export function writeUntil(
  script: string,
  path: string,
  level: Level,
  lines: number,
  stop: () => void = () => {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [script, path, level]);
    let text = "";
    let errors = "";
    let stopped = false;
    writer.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    writer.stdout.on("data", (chunk) => {
      // What is said while the rug is being pulled was acknowledged too.
      text += chunk;
      if (stopped || text.split("\n").length <= lines + 1) return;
      stopped = true;
      stop();
      writer.kill("SIGKILL");
    });
    writer.on("close", () => {
      if (stopped) resolve(parse(text));
      else reject(new Error(`the writer ended by itself: ${errors}`));
    });
  });
}

/** Holds a reopened store to what was said in this round and in all before. */
export async function checkWitnessed(kv: Kv, said: Said, memory: Memory): Promise<void> {
  for (const key of said.completed) {
    expect(memory.completed.has(key), `${key} was completed twice`).toBe(false);
    memory.completed.add(key);
  }
  for (const token of said.tokens) {
    expect(token).toBeGreaterThan(memory.lastToken);
    memory.lastToken = token;
  }
  const count = (await kv.find<number>("count")) ?? 0;
  const queue = await kv.range<number>("queue");
  const saidCount = said.counts.at(-1);
  const saidLength = said.lengths.at(-1);
  // What was being written when the end came may be there as well: at most one more.
  if (saidCount !== undefined && saidLength !== undefined) {
    expect(count - saidCount).toBeOneOf([0, 1]);
    expect(queue.length - saidLength).toBeOneOf([0, 1]);
  }
  expect(queue).toEqual([...new Set(queue)].sort((a, b) => a - b));
  expect(queue.at(-1) ?? 0).toBeLessThanOrEqual(count);
  const back = await kv.getMany([...memory.completed]);
  expect(back.filter((entry) => entry.exists)).toEqual([]);
}
