// Survey: what lies in the directory of a store, before anything of it is believed.
//
// A file is what its checked header says, wherever it lies; only where the header is unreadable
// does the name have to do.

import { DiskPathError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { type FileHeader, fileHeaderBytes } from "./file-header.js";
import { numberInName, segmentHeader } from "./log-format.js";
import { namesIn } from "./names-in.js";
import { openError, pathError, requireVersion } from "./open-errors.js";
import { directoriesIn } from "./recovery.js";
import { stateHeader } from "./state-format.js";

export interface SurveyedFile {
  readonly path: string;
  readonly kind: "segment" | "state";
  /** Of the first record of a segment, or `replay` of a state, by the name of the file. */
  readonly named: number;
  readonly sizeBytes: number;
  /** Undefined when no header checks out. */
  readonly header: FileHeader | undefined;
}

export interface SurveyedStore {
  readonly id: Uint8Array;
  readonly files: readonly string[];
}

export interface Survey {
  readonly path: string;
  /** Ascending by the number in their names, as opening takes them. */
  readonly states: readonly SurveyedFile[];
  readonly segments: readonly SurveyedFile[];
  /** States that were never finished: nothing is read from them. */
  readonly unfinished: readonly string[];
  /** What is not ours, whatever it is. */
  readonly foreign: readonly string[];
  /** The stores that are named in headers, the one with the most files first. */
  readonly stores: readonly SurveyedStore[];
}

/**
 * Whether `path` is the directory of a wal store: it has two of the three things that every one has,
 * so that a store which lost one is still told from a directory that has something of that name.
 */
export async function isWalDirectory({ files }: Env, path: string): Promise<boolean> {
  const { log, states } = directoriesIn(path);
  const found = [await files.stat(log), await files.stat(states)].filter(
    (stat) => stat?.kind === "directory",
  );
  const lock = await files.stat(`${path}/LOCK`);
  return found.length + (lock?.kind === "file" ? 1 : 0) >= 2;
}

/** @throws DiskPathError when `path` is not the directory of a wal store. */
export async function requireWalDirectory(env: Env, path: string): Promise<void> {
  let found: boolean;
  try {
    found = await isWalDirectory(env, path);
  } catch (error) {
    throw pathError(path, error);
  }
  if (found) return;
  throw new DiskPathError(
    `${path} is not the directory of a store: it lacks wal/, last_state/ and LOCK`,
    {
      hint: "give the `path` with which the store was opened",
    },
  );
}

/**
 * Reads names and headers.
 *
 * @throws DiskStoreOpenError when a file cannot be read, or is of another version of the format.
 */
export async function surveyFiles(env: Env, path: string): Promise<Survey> {
  const { log, states } = directoriesIn(path);
  try {
    const inLog = await namesIn(env, log);
    const inStates = await namesIn(env, states);
    const found = {
      states: await filesOf(env, states, inStates, "state"),
      segments: await filesOf(env, log, inLog, "segment"),
    };
    const paths = [
      ...inLog.map((name) => `${log}/${name}`),
      ...inStates.map((name) => `${states}/${name}`),
    ];
    const known = new Set([...found.states, ...found.segments].map((file) => file.path));
    const rest = paths.filter((each) => !known.has(each));
    const isUnfinished = (each: string): boolean => each.endsWith(".state.tmp");
    return {
      path,
      ...found,
      unfinished: rest.filter(isUnfinished),
      foreign: rest.filter((each) => !isUnfinished(each)),
      stores: storesOf([...found.states, ...found.segments]),
    };
  } catch (error) {
    throw openError(path, error);
  }
}

async function filesOf(
  env: Env,
  directory: string,
  names: readonly string[],
  kind: SurveyedFile["kind"],
): Promise<SurveyedFile[]> {
  const files: SurveyedFile[] = [];
  for (const name of names) {
    const named = numberInName(name, kind === "state" ? ".state" : ".log");
    if (named === undefined) continue;
    const path = `${directory}/${name}`;
    files.push({ path, kind, named, ...(await readHeader(env, path, kind)) });
  }
  return files.sort((a, b) => a.named - b.named);
}

async function readHeader(
  env: Env,
  path: string,
  kind: SurveyedFile["kind"],
): Promise<Pick<SurveyedFile, "sizeBytes" | "header">> {
  const file = await env.files.open(path, "read");
  try {
    const sizeBytes = await file.size();
    const bytes = Buffer.alloc(fileHeaderBytes);
    const length = await file.read(bytes, 0, bytes.length, 0);
    return { sizeBytes, header: headerIn(path, bytes.subarray(0, length), kind) };
  } finally {
    await file.close();
  }
}

function headerIn(path: string, bytes: Buffer, kind: SurveyedFile["kind"]): FileHeader | undefined {
  const header = (kind === "state" ? stateHeader : segmentHeader).decode(bytes);
  if (header !== undefined) requireVersion(path, header.version);
  return header;
}

function storesOf(files: readonly SurveyedFile[]): SurveyedStore[] {
  const stores = new Map<string, { id: Uint8Array; files: string[] }>();
  for (const { header, path } of files) {
    if (header === undefined) continue;
    const text = Buffer.from(header.store).toString("hex");
    const store = stores.get(text);
    if (store === undefined) stores.set(text, { id: header.store, files: [path] });
    else store.files.push(path);
  }
  return [...stores.values()].sort((a, b) => b.files.length - a.files.length);
}
