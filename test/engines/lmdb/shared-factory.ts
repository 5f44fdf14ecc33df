// How the suites get shared stores, each under a name that no other process uses.

import { randomUUID } from "node:crypto";
import { type Kv, openKv } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";

function create({ env, serialization, trackKeys }: CreateOptions): TestStore {
  const options = {
    name: `suite-${randomUUID()}`,
    backend: "shared",
    env,
    serialization,
    trackKeys,
    // The time of the tests jumps; waiting for other writers is a matter of the real one.
    shared: { timeout: 0 },
  } as const;
  const handles: Kv[] = [];
  const open = (): Kv => {
    const handle = openKv(options);
    handles.push(handle);
    return handle;
  };
  return {
    kv: open(),
    second: open,
    close: async () => {
      await Promise.all(handles.map((handle) => handle.close()));
    },
  };
}

export const sharedFactory: StoreFactory = {
  name: "shared",
  create,
  gaps: {
    reopen: "the data go with the last handle of the last process",
    opening: "its opening is the file system's business, which a test cannot hold up",
  },
};
