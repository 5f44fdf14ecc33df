// How the suites get disk stores: each in a file of its own.
//
// The files lie in memory where the system has such a place: what operations mean has nothing to do
// with how long a disk takes. What a disk keeps is the business of other tests.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";

const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
let stores = 0;

function create({ env, serialization, trackKeys }: CreateOptions): TestStore {
  const directory = mkdtempSync(join(place, "anykv-test-"));
  const options = {
    name: `disk-${++stores}`,
    backend: "disk",
    path: join(directory, "store"),
    env,
    serialization,
    trackKeys,
    // The time of the tests jumps; waiting for other writers is a matter of the real one.
    disk: { timeout: 0 },
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
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const diskFactory: StoreFactory = {
  name: "disk",
  create,
  gaps: { opening: "its opening is the file system's business, which a test cannot hold up" },
};
