// Backends: how each one by name becomes a store.

import { BackendUnavailableError } from "../base/errors.js";
import { MemoryEngine } from "../engines/memory/memory-engine.js";
import { walDefaults } from "../engines/wal/wal-defaults.js";
import { LocalStore } from "../store/local-store.js";
import type { Store } from "../store/store.js";
import { LogChannel } from "./log-channel.js";
import type { KvOptions } from "./options/options.js";

/** @throws BackendUnavailableError for a backend that this version does not have. */
export function openStore(options: KvOptions): Store | Promise<Store> {
  const { backend, env, trackKeys } = options;
  if (backend === "memory") return new LocalStore(new MemoryEngine(env, { trackKeys }), env);
  if (backend === "wal") return openWal(options);
  throw new BackendUnavailableError(`the backend "${backend}" is not part of this version`, {
    hint: 'open with `backend: "wal"`, which keeps its data in files, or `backend: "memory"`',
  });
}

async function openWal(options: KvOptions): Promise<Store> {
  const { WalEngine } = await import("../engines/wal/wal-engine.js");
  const { path, trackKeys, wal, env } = options;
  const observer = new LogChannel(options);
  const engine = await WalEngine.open(env, { ...walDefaults, ...wal, path, trackKeys, observer });
  return new LocalStore(engine, env);
}
