// Opening of a store on LMDB: its file, what it can do, and what is prepared before it is used.

import type { Capabilities } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import { LmdbEngine } from "./lmdb-engine.js";
import { acquireFile, type OpenFileOptions, releaseFile } from "./open-file.js";

export interface LmdbOptions extends OpenFileOptions {
  readonly name: "disk" | "shared";
  /** Build the index of free keys at once instead of when it is first asked for. */
  readonly trackKeys: boolean;
  /** Start with an empty store, whatever the file holds. */
  readonly truncate: boolean;
  /** Called once the engine has given the file back, also when it could not be opened. */
  readonly onClosed?: () => void;
}

const machine: Capabilities = {
  sharing: "machine",
  durability: "power cut",
  atomicBatches: true,
  oneStepAtAnySize: true,
  guardsAnyKey: true,
  exactSnapshots: true,
  waitsInTurn: false,
  largerThanMemory: true,
};

function capabilitiesOf({ name, noSync }: LmdbOptions): Capabilities {
  if (name === "shared") {
    return { ...machine, durability: "process exit", largerThanMemory: false };
  }
  return noSync ? { ...machine, durability: "process exit" } : machine;
}

/**
 * @throws DiskPathError, DiskStoreOpenError, BucketNotFoundError when the file cannot be used,
 * BackendUnavailableError when lmdb is not installed
 */
export async function openLmdb(env: Env, options: LmdbOptions): Promise<LmdbEngine> {
  const { name, readOnly, path, trackKeys, truncate, onClosed } = options;
  const file = await acquireFile(env, options).catch((error: unknown) => {
    onClosed?.();
    throw error;
  });
  const release = (): Promise<void> => releaseFile(file).finally(onClosed);
  const capabilities = capabilitiesOf(options);
  let engine: LmdbEngine | undefined;
  try {
    engine = new LmdbEngine({ name, capabilities, env, file, path, readOnly, release });
    if (truncate) await engine.empty();
    if (trackKeys && !readOnly) await engine.buildIndexes();
  } catch (error) {
    await (engine === undefined ? release() : engine.close());
    throw error;
  }
  return engine;
}
