// State reader: the newest state into the tables.
//
// A state got its name after all of it had been synced, so a named state that does not check out is
// damage; an older one is never taken instead, because the log before it may be gone.

import type { ChangeTarget } from "../../engine/changes.js";
import type { Env } from "../../env/env.js";
import { ChangeDecoder, MalformedChanges } from "./change-codec.js";
import { type FileHeader, fileHeaderBytes } from "./file-header.js";
import { FileWindow } from "./file-window.js";
import { numberInName } from "./log-format.js";
import { namesIn } from "./names-in.js";
import { damage, requireVersion } from "./open-errors.js";
import type { RecoveryMeter } from "./recovery-meter.js";
import { RowCounter } from "./row-counters.js";
import { type StateFooter, stateHeader } from "./state-format.js";
import { scanState } from "./state-scan.js";

export interface FoundState {
  readonly path: string;
  readonly replay: number;
  readonly until: number;
  readonly rows: number;
  readonly store: Uint8Array;
  /** Bytes of its rows before compression, and of the file. */
  readonly rawBytes: number;
  readonly storedBytes: number;
}

export async function stateNames(env: Env, directory: string): Promise<string[]> {
  const names = await namesIn(env, directory);
  return names.filter((name) => numberInName(name, ".state") !== undefined);
}

/** Reads the newest state; undefined when there is none. */
export async function readState(
  env: Env,
  directory: string,
  target: ChangeTarget,
  meter?: RecoveryMeter,
): Promise<FoundState | undefined> {
  const name = (await stateNames(env, directory)).at(-1);
  if (name === undefined) return undefined;
  const path = `${directory}/${name}`;
  const file = await env.files.open(path, "read");
  try {
    const window = new FileWindow(file, await file.size());
    const { number: replay, store, origin } = await readHeader(path, name, window);
    const counter = new RowCounter(target);
    const { footer, rawBytes } = await readParts(env, path, window, origin, counter, meter);
    if (footer.rows !== counter.rows) damage(path, window.sizeBytes, "missing rows");
    meter?.fileDone(window.sizeBytes);
    const { until, rows } = footer;
    return { path, replay, until, rows, store, rawBytes, storedBytes: window.sizeBytes };
  } finally {
    await file.close();
  }
}

async function readHeader(path: string, name: string, file: FileWindow): Promise<FileHeader> {
  const header = stateHeader.decode(await file.at(0, fileHeaderBytes));
  if (header === undefined) damage(path, 0, "unreadable state header");
  requireVersion(path, header.version);
  if (header.number !== numberInName(name, ".state")) damage(path, 8, "state under a wrong name");
  return header;
}

async function readParts(
  env: Env,
  path: string,
  file: FileWindow,
  origin: number,
  target: RowCounter,
  meter: RecoveryMeter | undefined,
): Promise<{ footer: StateFooter; rawBytes: number }> {
  let blocks = 0;
  let rawBytes = 0;
  for await (const part of scanState(file, fileHeaderBytes, origin)) {
    if (part.kind === "unreadable") damage(path, part.offset, part.what);
    if (part.kind === "footer") {
      if (part.footer.blocks !== blocks) damage(path, part.offset, "missing blocks");
      if (part.end !== file.sizeBytes) damage(path, part.end, "bytes after the end of the state");
      return { footer: part.footer, rawBytes };
    }
    decodeRows(path, part.offset, part.raw, target);
    blocks++;
    rawBytes += part.raw.length;
    meter?.state(part.end, target.rows);
    await env.timers.breathe();
  }
  damage(path, file.sizeBytes, "missing state footer");
}

function decodeRows(path: string, offset: number, raw: Buffer, target: ChangeTarget): void {
  try {
    new ChangeDecoder(raw).decode(0, raw.length, target);
  } catch (cause) {
    if (cause instanceof MalformedChanges) damage(path, offset, cause.message, cause);
    throw cause;
  }
}
