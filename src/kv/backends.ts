// Backends: how each one by name becomes a store.

import { BackendUnavailableError } from "../base/errors.js";
import { lmdbDefaults } from "../engines/lmdb/lmdb-defaults.js";
import { MemoryEngine } from "../engines/memory/memory-engine.js";
import { walDefaults } from "../engines/wal/wal-defaults.js";
import { LocalStore } from "../store/local-store.js";
import type { Store } from "../store/store.js";
import { LogChannel } from "./log-channel.js";
import { ineffectiveOptions } from "./options/disk-options.js";
import type { KvOptions } from "./options/options.js";

/** @throws BackendUnavailableError for a backend that this version does not have. */
export function openStore(options: KvOptions): Store | Promise<Store> {
  const { backend, env, trackKeys } = options;
  if (backend === "memory") return new LocalStore(new MemoryEngine(env, { trackKeys }), env);
  if (backend === "wal") return openWal(options);
  if (backend === "disk") return openDisk(options);
  if (backend === "shared") return openShared(options);
  throw new BackendUnavailableError(`the backend "${backend}" is not part of this version`, {
    hint: 'open with `backend: "wal"`, which keeps its data in files, or `backend: "memory"`',
  });
}

async function openDisk(options: KvOptions): Promise<Store> {
  const { openLmdb } = await import("../engines/lmdb/open-lmdb.js");
  const { path, trackKeys, disk, env } = options;
  warnIneffective(options);
  const { flags, timeoutMs, initialMmapSizeBytes } = disk;
  const engine = await openLmdb(env, {
    ...lmdbDefaults,
    path,
    trackKeys,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(initialMmapSizeBytes === undefined ? {} : { mapBytes: initialMmapSizeBytes }),
    ...flags,
  });
  return new LocalStore(engine, env);
}

async function openShared({ name, trackKeys, shared, env }: KvOptions): Promise<Store> {
  const opening = await import("../engines/lmdb/open-shared.js");
  const engine = await opening.openShared(env, { storeName: name, trackKeys, ...shared });
  return new LocalStore(engine, env);
}

const warned = new Set<string>();

/** Says once in a process of each option that it has no effect. */
function warnIneffective({ disk }: KvOptions): void {
  for (const name of ineffectiveOptions(disk)) {
    if (warned.has(name)) continue;
    warned.add(name);
    process.emitWarning(`the option disk.${name} has no effect: LMDB has nothing like it`, {
      type: "AnykvWarning",
      code: "ANYKV_OPTION_WITHOUT_EFFECT",
    });
  }
}

async function openWal(options: KvOptions): Promise<Store> {
  const { WalEngine } = await import("../engines/wal/wal-engine.js");
  const { path, trackKeys, wal, env } = options;
  const observer = new LogChannel(options);
  const engine = await WalEngine.open(env, { ...walDefaults, ...wal, path, trackKeys, observer });
  return new LocalStore(engine, env);
}
