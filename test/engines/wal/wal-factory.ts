// How the suites get wal stores: each in a directory of its own, on the real file system.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv, type WalOptions } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";

let stores = 0;

function create({ env, serialization, trackKeys }: CreateOptions, wal?: WalOptions): TestStore {
  const path = mkdtempSync(join(tmpdir(), "anykv-wal-"));
  const options = {
    name: `wal-${++stores}`,
    backend: "wal",
    path,
    env,
    serialization,
    trackKeys,
    wal,
  } as const;
  let handles: Kv[] = [];
  const open = (): Kv => {
    const handle = openKv(options);
    handles.push(handle);
    return handle;
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all(handles.map((handle) => handle.close()));
    handles = [];
  };
  return {
    kv: open(),
    second: open,
    reopen: async () => {
      await closeAll();
      return open();
    },
    close: async () => {
      await closeAll();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const gaps = {
  opening: "its opening is the file system's business, which a test cannot hold up",
  "shared by processes": "one process owns the directory",
};

export const walFactory: StoreFactory = { name: "wal", create: (options) => create(options), gaps };

/** Every write waits for the disk, so that operations meet each other half-way. */
export const syncedWalFactory: StoreFactory = {
  name: "wal, syncWrites",
  create: (options) => create(options, { syncWrites: true }),
  gaps,
};
