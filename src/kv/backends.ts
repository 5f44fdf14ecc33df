// Backends: how each one by name becomes a store.

import { lmdbDefaults } from "../engines/lmdb/lmdb-defaults.js";
import { MemoryEngine } from "../engines/memory/memory-engine.js";
import { walDefaults } from "../engines/wal/wal-defaults.js";
import { nodeEnv } from "../env/env.js";
import { warn } from "../env/warnings.js";
import type { ValkeySettings } from "../remote/valkey/valkey-settings.js";
import { LocalStore } from "../store/local-store.js";
import type { Store } from "../store/store.js";
import { LogChannel } from "./log-channel.js";
import { ineffectiveOptions } from "./options/disk-options.js";
import type { KvOptions } from "./options/options.js";

export interface StoreOpening {
  /** Whether a store on a server is made where it is not there; default true. */
  readonly creates?: boolean;
}

export function openStore(options: KvOptions, opening: StoreOpening = {}): Store | Promise<Store> {
  const { backend, env, trackKeys } = options;
  if (backend === "memory") return new LocalStore(new MemoryEngine(env, { trackKeys }), env);
  if (backend === "wal") return openWal(options);
  if (backend === "disk") return openDisk(options);
  if (backend === "shared") return openShared(options);
  return openRemote(options, opening);
}

async function openRemote(options: KvOptions, opening: StoreOpening): Promise<Store> {
  const { openValkey } = await import("../remote/valkey/open-valkey.js");
  const { RemoteStore } = await import("../remote/remote-store.js");
  const { name, serialization, trackKeys, env } = options;
  const settings = options.valkey as ValkeySettings;
  // A network does not wait for the clock of a test: how long it takes is a matter of real time.
  const connection = await openValkey({ env: nodeEnv, settings, storeName: name });
  return RemoteStore.open(connection, env, { serialization, trackKeys, ...opening });
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
    warn({
      message: `the option disk.${name} has no effect: LMDB has nothing like it`,
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
