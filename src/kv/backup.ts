// Everything that a store holds into a file and back.

import { resolve } from "node:path";
import type { Store } from "../store/store.js";
import { type BackupSummary, backup, type Copying } from "../transfer/backup.js";
import { type RestoreSummary, restore } from "../transfer/restore.js";
import { lmdbSnapshotFiles } from "../transfer/snapshot-files.js";
import { booleanField, type Fields, field, isInteger, refuse, textField } from "./arguments.js";
import type { BackupOptions, RestoreOptions } from "./backup-types.js";
import { type Attendance, attendance } from "./file-arguments.js";
import { FileMethods } from "./files.js";
import { namesOf, tolerantFields } from "./option-names.js";
import { defaultPath } from "./options/default-path.js";

const copyNames = { fileName: true, signal: true, onProgress: true } as const;
const backupNames = namesOf<BackupOptions>({ ...copyNames, allowConcurrentWrites: true });
const restoreNames = namesOf<RestoreOptions>({ ...copyNames, maxEntries: true, maxBytes: true });

export abstract class BackupMethods<Schema> extends FileMethods<Schema> {
  /**
   * Writes all values, arrays and filters as they are at the moment of the call into a file that
   * opens as a store of the backend "disk", while reads and writes go on. The file is replaced when
   * the new one is complete, has been read back and is on the disk. Claims stay behind.
   *
   * Without a `fileName` the file is that of the "disk" store without a name, `./.anykv`; on a "disk"
   * store it is its own, which needs no writing. Keeps in memory what is overwritten meanwhile.
   * @throws BackupInProgressError while another backup is written to the same file,
   * SnapshotPermissionError and SnapshotExportError when it cannot be written, or is the file of a
   * "disk" store that is open, or of a "wal" store at all,
   * OperationCanceledError; the file is then as it was before.
   */
  async backup(options?: BackupOptions): Promise<BackupSummary> {
    const fields = tolerantFields(options, backupNames, "backup");
    const bestEffort = booleanField(fields, "allowConcurrentWrites", false);
    const target = this.#file(fields);
    const attended = attendance(fields);
    const store = this.ready ?? (await this.opened());
    const running = this.#isOwn(target)
      ? this.#ownSummary(store, target)
      : backup(this.#copying(store, attended), { target, bestEffort });
    this.shared.attend(running);
    return running;
  }

  /**
   * Replaces everything by what is in a file that `backup` wrote, or in that of a "disk" store. The
   * file is read and checked first; then the store changes over at once and durably. Claims end; no
   * token is used again. On "memory" and "wal" writes are refused meanwhile with
   * `RestoreInProgressError`; reads see the former data until the end.
   *
   * Without a `fileName` as `backup`; restoring a "disk" store from its own file only ends claims.
   * @throws SnapshotNotFoundError, SnapshotPermissionError, SnapshotIOError, SnapshotReadError when
   * the file cannot be read or is none, SnapshotBudgetExceededError, RestoreInProgressError,
   * OperationCanceledError; nothing has changed then.
   */
  async restore(options?: RestoreOptions): Promise<RestoreSummary> {
    const fields = tolerantFields(options, restoreNames, "restore");
    const [maxEntries, maxBytes] = [
      boundField(fields, "maxEntries"),
      boundField(fields, "maxBytes"),
    ];
    const source = this.#file(fields);
    const attended = attendance(fields);
    const store = this.ready ?? (await this.opened());
    const running = this.#isOwn(source)
      ? restoreOwn(store)
      : restore(this.#copying(store, attended), { source, maxEntries, maxBytes });
    this.shared.attend(running);
    return running;
  }

  #file(fields: Fields): string {
    const name = textField(fields, "fileName") ?? "";
    if (name.includes("\0")) refuse('option "fileName"', "a path without NUL characters", name);
    if (name.trim() !== "") return resolve(name);
    const { backend, path } = this.shared.options;
    return backend === "disk" ? path : resolve(defaultPath);
  }

  #isOwn(path: string): boolean {
    const { options } = this.shared;
    return options.backend === "disk" && path === options.path;
  }

  async #ownSummary(store: Store, path: string): Promise<BackupSummary> {
    const totalEntries = await store.countEntries();
    const stat = await this.shared.options.env.files.stat(path);
    return { totalEntries, bytesWritten: stat?.sizeBytes ?? 0, bestEffort: false, warning: "" };
  }

  #copying(store: Store, attended: Attendance): Copying {
    return { env: this.shared.options.env, store, files: lmdbSnapshotFiles, ...attended };
  }
}

async function restoreOwn(store: Store): Promise<RestoreSummary> {
  await store.dropClaims();
  return { totalEntries: await store.countEntries() };
}

/** 0 or less stands for no bound. */
function boundField(fields: Fields, name: string): number {
  const value = field(fields, name) ?? 0;
  if (!isInteger(value)) refuse(`option "${name}"`, "an integer", value);
  return Math.max(0, value);
}
