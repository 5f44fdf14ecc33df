// The lifecycle suite on a store that opens late and forbids any use after it has been closed.
//
// No backend of this version has an opening state, so the registry is given one here: a memory store
// behind a promise. Its engine fails whoever uses it after `close`, so that an operation
// which a closing handle has let down is seen.

import { type Kv, openKv } from "anykv";
import { type CreateOptions, lifecycleSuite, type StoreFactory } from "anykv/testing";
import { describe, expect, test, vi } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { MemoryEngine } from "../../src/engines/memory/memory-engine.js";
import type { Env } from "../../src/env/env.js";
import type { KvOptions } from "../../src/kv/options/options.js";
import { LocalStore } from "../../src/store/local-store.js";
import type { Store } from "../../src/store/store.js";

/** What opens the store of each name, instead of the backends. */
const openings = vi.hoisted(
  () => new Map<string, (options: KvOptions) => Store | Promise<Store>>(),
);

vi.mock("../../src/kv/backends.js", () => ({
  openStore: (options: KvOptions) => openings.get(options.name ?? "")?.(options),
}));

function strictStore({ env, trackKeys }: KvOptions): Store {
  return new LocalStore(strictAboutClosing(new MemoryEngine(env, { trackKeys })), env);
}

const uses: ReadonlySet<string | symbol> = new Set([
  "read",
  "write",
  "reap",
  "snapshot",
  "replace",
  "rebuildIndexes",
]);

function strictAboutClosing(engine: Engine): Engine {
  let closed = false;
  return new Proxy(engine, {
    get(target, name) {
      if (name === "close") closed = true;
      if (closed && uses.has(name)) throw new Error("used after close");
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

let stores = 0;

function handlesOf(
  { env, serialization, trackKeys }: CreateOptions,
  open: (options: KvOptions) => Store | Promise<Store>,
): { kv: Kv; second: () => Kv; close: () => Promise<void> } {
  const name = `opening-${++stores}`;
  openings.set(name, open);
  const handles: Kv[] = [];
  const second = (): Kv => {
    const options = { name, backend: "memory", env: env as Env, serialization, trackKeys } as const;
    const handle = openKv(options);
    handles.push(handle);
    return handle;
  };
  const close = async (): Promise<void> => {
    await Promise.allSettled(handles.map((handle) => handle.close()));
  };
  return { kv: second(), second, close };
}

const openingFactory: StoreFactory = {
  name: "memory, opening late and strict about closing",
  create: (options) => handlesOf(options, async (normalized) => strictStore(normalized)),
  createOpening(options) {
    let open: () => void = () => {};
    let fail: (error: Error) => void = () => {};
    const { kv, close } = handlesOf(options, (normalized) => {
      return new Promise<Store>((resolve, reject) => {
        open = () => resolve(strictStore(normalized));
        fail = reject;
      });
    });
    return { kv, proceed: (error) => (error === undefined ? open() : fail(error)), close };
  },
  gaps: {
    reopen: "the data live in the memory of the process and go with the last handle",
    "shared by processes": "the data live in the memory of one process",
  },
};

lifecycleSuite({ describe, expect, test }, openingFactory);
