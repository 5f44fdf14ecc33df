// Recorded stores: directories of the wal backend that a probe opens, and the same records as JSONL.

import { createWriteStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Kv } from "anykv";
import { account, accountKey } from "./records.js";
import { openWal } from "./stores.js";

/** So that no state is written unasked. */
export const neverSnapshot = "1TiB";

/** Makes a log of `count` transactions that each set one key. */
export async function recordLog(path: string, count: number): Promise<void> {
  const kv = openWal(path, { snapshotEvery: neverSnapshot });
  for (let id = 0; id < count; id++) await kv.set(accountKey(id), account(id));
  await kv.close();
}

/** The least there is: any log that opening finds is more, and the first write begins a state. */
export const snapshotAtOnce = "4KiB";

/** Writes a state of what is in the store, after which there is next to no log. */
export async function turnIntoState(path: string): Promise<void> {
  const before = filesOf(path);
  const kv = openWal(path, { snapshotEvery: snapshotAtOnce });
  const value = await kv.get(accountKey(0));
  await provokeState(kv, path, before, value);
  await kv.close();
}

const tickMs = 5;

// Any write will do; this one changes nothing.
async function provokeState(kv: Kv, path: string, before: Files, value: unknown): Promise<void> {
  while (!isFreshState(before, filesOf(path))) {
    await kv.set(accountKey(0), value);
    await pause(tickMs);
  }
}

export interface Files {
  readonly states: readonly string[];
  readonly segments: readonly string[];
}

export function filesOf(path: string): Files {
  return { states: namesIn(join(path, "last_state")), segments: namesIn(join(path, "wal")) };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Whether a state has been written since, and what it replaces has been removed. */
export function isFreshState(before: Files, { states, segments }: Files): boolean {
  const [state] = states;
  if (states.length !== 1 || state === undefined || !state.endsWith(".state")) return false;
  return segments.length === 1 && !before.states.includes(state);
}

/** Of so many records a chunk of the file is made. */
const recordsPerChunk = 1_000;

function* jsonLines(count: number): Generator<string> {
  for (let from = 0; from < count; from += recordsPerChunk) {
    let chunk = "";
    for (let id = from; id < Math.min(count, from + recordsPerChunk); id++) {
      chunk += `${JSON.stringify({ key: accountKey(id), value: account(id) })}\n`;
    }
    yield chunk;
  }
}

/** The same records, one line each. */
export function recordJsonLines(path: string, count: number): Promise<void> {
  return pipeline(jsonLines(count), createWriteStream(path));
}
