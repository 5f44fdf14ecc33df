// Served store: which store `anykv serve` opens: one at a path, one in memory, one on a server, or one
// that a configuration names.

import { InvalidOptionsError } from "../../base/errors.js";
import { type ConfiguredStore, parseConfig } from "../../kv/config/config.js";
import { Kv } from "../../kv/kv.js";
import { type KvOptions, normalizeOptions } from "../../kv/options/options.js";
import { acquireApart } from "../../kv/registry.js";
import { targetPlace } from "../copy-ends.js";
import { isHttpUrl } from "../http-calls.js";
import type { StoreFlags } from "../open-target.js";
import type { Terminal } from "../terminal.js";
import { readTextFile } from "./text-file.js";

export interface ServedFlags extends StoreFlags {
  readonly config?: string;
  readonly store?: string;
  readonly backend?: string;
  readonly name?: string;
  readonly syncWrites?: boolean;
  readonly trackKeys?: boolean;
  readonly metrics?: boolean;
}

export interface ServedStore {
  readonly kv: Kv;
  readonly backend: string;
  /** Where it is, for people; "" in memory. */
  readonly address: string;
  /** Under which clients with the backend "valkey" know it. */
  readonly name: string | undefined;
  close(): Promise<void>;
}

/** @throws InvalidOptionsError, and what opening rejects with. */
export function openServed(
  terminal: Terminal,
  text: string | undefined,
  flags: ServedFlags,
): Promise<ServedStore> {
  return flags.config === undefined
    ? openGiven(terminal, text, flags)
    : openConfigured(terminal, text, flags.config, flags);
}

async function openConfigured(
  terminal: Terminal,
  text: string | undefined,
  file: string,
  flags: ServedFlags,
): Promise<ServedStore> {
  const others = ["backend", "serialization", "syncWrites", "trackKeys", "metrics"] as const;
  const other = others.find((name) => flags[name] !== undefined);
  if (text !== undefined || other !== undefined) {
    throw new InvalidOptionsError(
      "with --config the store is what the file says: give no STORE and no options of it",
    );
  }
  // The others of the file belong to other programs, and may be open there.
  const { name, options } = await chosenStore(file, flags.store);
  const normalized = normalizeOptions({ ...options, env: terminal.env });
  return open(normalized, normalized.path, flags.name ?? name);
}

async function chosenStore(file: string, asked: string | undefined): Promise<ConfiguredStore> {
  const stores = await parseConfig(readTextFile(file, "--config"), file);
  const names = stores.map(({ name }) => name);
  const known = names.length === 0 ? "none" : names.join(", ");
  const chosen = asked ?? (names.length === 1 ? names[0] : undefined);
  const found = stores.find(({ name }) => name === chosen);
  if (found !== undefined) return found;
  const what = asked === undefined ? "which store is to be served" : `it has no store "${asked}"`;
  throw new InvalidOptionsError(`${file}: ${what}`, {
    hint: `choose with --store; there are: ${known}`,
  });
}

async function openGiven(
  terminal: Terminal,
  text: string | undefined,
  flags: ServedFlags,
): Promise<ServedStore> {
  if (flags.store !== undefined) {
    throw new InvalidOptionsError("--store chooses from the stores of a --config");
  }
  const { address, options } = await placeOf(terminal, text, flags);
  const normalized = normalizeOptions({ ...options, ...optionsOf(flags) });
  checkUse(normalized, flags);
  return open(durable(normalized, flags), address, flags.name);
}

async function open(
  options: KvOptions,
  address: string,
  name: string | undefined,
): Promise<ServedStore> {
  const shared = acquireApart(options, {});
  const kv = new Kv(shared);
  try {
    await shared.store;
  } catch (error) {
    await kv.close().catch(() => {});
    throw error;
  }
  return { kv, backend: options.backend, address, name, close: () => kv.close() };
}

interface Given {
  readonly address: string;
  readonly options: object;
}

async function placeOf(
  { env }: Terminal,
  text: string | undefined,
  { backend, name }: ServedFlags,
): Promise<Given> {
  if (text !== undefined) {
    if (isHttpUrl(text)) {
      throw new InvalidOptionsError("what stands behind an HTTP door is served already");
    }
    return targetPlace(env, text, backend, "STORE");
  }
  if (backend === undefined || backend === "memory") {
    return { address: "", options: { backend: "memory", name: name ?? "served", env } };
  }
  if (backend === "shared") return { address: "", options: { backend, name, env } };
  throw new InvalidOptionsError(`--backend ${backend} needs the path of the store`);
}

function optionsOf({ serialization, trackKeys, metrics }: ServedFlags): object {
  return {
    ...(serialization === undefined ? {} : { serialization }),
    ...(trackKeys === undefined ? {} : { trackKeys }),
    ...(metrics === undefined ? {} : { metrics: { operations: true } }),
  };
}

/**
 * Who is told "OK" over a connection cannot see that the process was killed a moment later: a wal store
 * is served with synced writes, which elsewhere have to be asked for.
 */
function durable(options: KvOptions, { syncWrites = true }: ServedFlags): KvOptions {
  return options.backend === "wal" ? { ...options, wal: { ...options.wal, syncWrites } } : options;
}

function checkUse({ backend }: KvOptions, { syncWrites }: ServedFlags): void {
  if (syncWrites === undefined || backend === "wal") return;
  const flag = syncWrites ? "--sync-writes" : "--no-sync-writes";
  throw new InvalidOptionsError(`${flag} is for wal stores, and this is ${backend}`);
}
