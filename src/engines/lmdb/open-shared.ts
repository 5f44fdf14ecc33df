// Opening of a shared store: a place in shared memory, and the engine on the file in it.

import type { Env } from "../../env/env.js";
import { lmdbDefaults } from "./lmdb-defaults.js";
import type { LmdbEngine } from "./lmdb-engine.js";
import { loadLmdb } from "./lmdb-module.js";
import { openLmdb } from "./open-lmdb.js";
import { SharedPlace, sharedDirectory } from "./shared-place.js";

export interface SharedStoreOptions {
  /** undefined: the store without a name. */
  readonly storeName: string | undefined;
  readonly trackKeys: boolean;
  /** How long to wait for other writers; 0: without end. */
  readonly timeoutMs: number;
}

/**
 * @throws DiskStoreOpenError when there is no place for it, BackendUnavailableError when lmdb is not
 * installed
 */
export async function openShared(env: Env, options: SharedStoreOptions): Promise<LmdbEngine> {
  const { storeName, trackKeys, timeoutMs } = options;
  // Where it is missing, no place is made.
  await loadLmdb();
  const place = SharedPlace.enter(env.processes, sharedDirectory(storeName));
  return openLmdb(env, {
    ...lmdbDefaults,
    name: "shared",
    path: place.path,
    trackKeys,
    timeoutMs,
    // No power cut spares memory, so nothing is waited for.
    noSync: true,
    onClosed: () => place.leave(),
  });
}
