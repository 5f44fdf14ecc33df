// Snapshot files: files of the disk backend as what backups are made of. Whatever a backend keeps,
// its backup opens as a `disk` store, and the file of a `disk` store can be restored anywhere.

import type { Engine } from "../engine/engine.js";
import { lmdbDefaults } from "../engines/lmdb/lmdb-defaults.js";
import type { Env } from "../env/env.js";

export interface SnapshotFiles {
  /**
   * An engine on a new file, which is complete when the engine has been closed. Nothing is synced
   * on the way.
   */
  create(env: Env, path: string): Promise<Engine>;
  /**
   * An engine that reads an existing file and changes nothing in it.
   *
   * @throws BucketNotFoundError when there is no store of ours in it; BackendUnavailableError;
   * anything else when it is not such a file.
   */
  open(env: Env, path: string): Promise<Engine>;
  /**
   * Whether a store has the file open, as far as can be told, here or in another process: it would
   * lose what it writes if the file were replaced.
   */
  isInUse(env: Env, path: string): Promise<boolean>;
  /** Files that lie beside one of these when it is, or has been, in use. */
  besides(path: string): readonly string[];
}

const loadLmdbEngine = () => import("../engines/lmdb/open-lmdb.js");

/** The files of the disk backend. The package lmdb is loaded when the first one is asked for. */
export const lmdbSnapshotFiles: SnapshotFiles = {
  async create(env, path) {
    const { openLmdb } = await loadLmdbEngine();
    return openLmdb(env, { ...lmdbDefaults, path, noSync: true, timeoutMs: 0 });
  },
  async open(env, path) {
    const { openLmdb } = await loadLmdbEngine();
    const { checkEveryPage } = await import("../engines/lmdb/check-file.js");
    await checkEveryPage(env, path);
    return openLmdb(env, { ...lmdbDefaults, path, readOnly: true, timeoutMs: 0 });
  },
  async isInUse(env, path) {
    const { isOpen } = await import("../engines/lmdb/open-file.js");
    const { usersOf } = await import("../engines/lmdb/lock-users.js");
    return (await isOpen(path)) || ((await usersOf(env, path)) ?? []).length > 0;
  },
  besides: (path) => [`${path}-lock`],
};
