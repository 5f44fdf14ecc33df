// How the suites get memory stores, each under a name of its own.

import { type Kv, openKv } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";

let stores = 0;

function create({ env, serialization, trackKeys }: CreateOptions): TestStore {
  const options = {
    name: `memory-${++stores}`,
    backend: "memory",
    env,
    serialization,
    trackKeys,
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

export const memoryFactory: StoreFactory = {
  name: "memory",
  create,
  gaps: {
    reopen: "the data live in the memory of the process and go with the last handle",
    opening: "a memory store is open when openKv returns",
    "shared by processes": "the data live in the memory of one process",
  },
};
