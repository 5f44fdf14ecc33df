// Configured stores: what a YAML document says of them, checked, with the place of each key.
//
//   anykv:
//     stores:
//       sessions: { backend: wal, path: ./data/sessions, wal: { syncWrites: true } }
//   simple_kv: { enabled: true, path: ./data/simple_kv, sync_writes: false }
//
// The second form is read as the Simple KV plugin wrote it: one store of byte values named
// "simple_kv" on the wal backend. Other top-level keys belong to other programs and are left alone.
//
// Invariants
// 1. Nothing of ours is ignored: a key that is not known, or that the backend has no use for, is an
//    error, and so are two stores of one name or one path.
// 2. Every error tells the place of the key that is wrong, and its full name as `key`.

import { InvalidOptionsError, isKvError } from "../../base/errors.js";
import { describe } from "../arguments.js";
import { namesOf } from "../option-names.js";
import { diskNames } from "../options/disk-options.js";
import type { MetricsOptions } from "../options/metrics-options.js";
import { memoryNames } from "../options/open-names.js";
import { type KvOptions, normalizeOptions, type OpenKvOptions } from "../options/options.js";
import { sharedNames } from "../options/shared-options.js";
import { tlsFileOptionNames, valkeyFileOptionNames } from "../options/valkey-options.js";
import { walOptionNames } from "../options/wal-options.js";
import { type Entry, YamlSource } from "./yaml-source.js";

/** A store with the places of what was said about it. */
export interface PlacedStore {
  readonly name: string;
  readonly options: OpenKvOptions;
  readonly at: Entry;
  /** The keys by the names that options have: "wal.syncWrites". */
  readonly places: ReadonlyMap<string, Entry>;
}

const groups: ReadonlyMap<string, readonly string[]> = new Map([
  ["memory", [...memoryNames]],
  ["disk", [...diskNames]],
  ["shared", [...sharedNames]],
  ["wal", walOptionNames],
  ["valkey", valkeyFileOptionNames],
  ["metrics", [...namesOf<Omit<MetricsOptions, "registry">>({ operations: true })]],
]);
/** Options that are more than a scalar. */
const readers: ReadonlyMap<string, (source: YamlSource, entry: Entry) => unknown> = new Map([
  ["valkey.tls", tlsOf],
  ["valkey.cluster", clusterOf],
]);
const backendGroups = ["memory", "disk", "shared", "wal", "valkey"] as const;
const storeKeys = ["backend", "path", "serialization", "trackKeys", ...groups.keys()];

const simpleKvName = "simple_kv";
const simpleKvPath = "./data/simple_kv";
const simpleKvKeys = ["enabled", "path", "sync_writes"];

/** @throws InvalidOptionsError */
export function parseSource(text: unknown, file: string): YamlSource {
  if (typeof text === "string") return new YamlSource(text, file);
  throw new InvalidOptionsError(`a configuration must be text, got ${describe(text)}`);
}

/**
 * The stores that a document names, in its order. Paths are as written.
 *
 * @throws InvalidOptionsError with file, line, column and key.
 */
export function placedStores(source: YamlSource): PlacedStore[] {
  const stores: PlacedStore[] = [];
  for (const [key, entry] of source.top(["anykv", simpleKvName])) {
    if (key === "anykv") stores.push(...generalForm(source, entry));
    if (key === simpleKvName) stores.push(...simpleKvForm(source, entry));
  }
  refuseSharing(source, stores);
  return stores;
}

function refuseSharing(source: YamlSource, stores: readonly PlacedStore[]): void {
  const names = new Map<string, Entry>();
  const paths = new Map<string, Entry>();
  for (const store of stores) {
    const { path } = checkedOptions(source, store);
    refuseSecond(source, names, store.name, store.at, "the same name");
    if (path === "") continue;
    refuseSecond(source, paths, path, store.places.get("path") ?? store.at, "the same path");
  }
}

function refuseSecond(
  source: YamlSource,
  known: Map<string, Entry>,
  key: string,
  entry: Entry,
  what: string,
): void {
  const first = known.get(key);
  if (first !== undefined) {
    source.failAt(entry, `means ${what} as ${first.path} at ${source.place(first.offset)}`);
  }
  known.set(key, entry);
}

function generalForm(source: YamlSource, entry: Entry): PlacedStore[] {
  const stores = source.section(entry, ["stores"]).get("stores");
  if (stores === undefined) return [];
  return [...source.section(stores)].map(([name, at]) => storeOf(source, name, at));
}

function storeOf(source: YamlSource, name: string, at: Entry): PlacedStore {
  const places = new Map([["name", at]]);
  const options: Record<string, unknown> = { name };
  for (const [key, entry] of source.section(at, storeKeys)) {
    places.set(key, entry);
    const keys = groups.get(key);
    options[key] = keys === undefined ? source.scalar(entry) : group(source, key, keys, places);
  }
  checkPath(source, places.get("path"));
  return { name, options, at, places };
}

function group(
  source: YamlSource,
  name: string,
  keys: readonly string[],
  places: Map<string, Entry>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const at = places.get(name) as Entry;
  if (name === "valkey" && typeof source.scalar(at) === "string") {
    source.failAt(at, "must be a map", { hint: 'write an URL as { url: "..." }' });
  }
  for (const [key, entry] of source.section(at, keys)) {
    places.set(`${name}.${key}`, entry);
    const read = readers.get(`${name}.${key}`);
    options[key] = read === undefined ? source.scalar(entry) : read(source, entry);
  }
  return options;
}

/** A map, or a scalar. */
function mapOr(
  source: YamlSource,
  entry: Entry,
  keys: readonly string[],
  read: (entry: Entry, key: string) => unknown,
): unknown {
  if (!source.isMap(entry)) return source.scalar(entry);
  const fields = [...source.section(entry, keys)];
  return Object.fromEntries(fields.map(([key, at]) => [key, read(at, key)]));
}

/** A list of nodes, or a scalar. */
function clusterOf(source: YamlSource, entry: Entry): unknown {
  const nodes = source
    .items(entry)
    ?.map((node) => mapOr(source, node, ["host", "port"], (at) => source.scalar(at)));
  return nodes ?? source.scalar(entry);
}

// TLS itself would tell of a value that it cannot use only when it connects, and not by its name.
function tlsOf(source: YamlSource, entry: Entry): unknown {
  return mapOr(source, entry, tlsFileOptionNames, (at, key) => {
    const expected = key === "rejectUnauthorized" ? "boolean" : "string";
    const read = (part: Entry): unknown => {
      const value = source.scalar(part);
      return typeof value === expected ? value : source.failAt(part, `must be a ${expected}`);
    };
    return source.items(at)?.map(read) ?? read(at);
  });
}

function simpleKvForm(source: YamlSource, at: Entry): PlacedStore[] {
  const entries = source.section(at, simpleKvKeys);
  const [enabled, path, syncWrites] = simpleKvKeys.map((key) => entries.get(key));
  checkPath(source, path);
  const options = {
    name: simpleKvName,
    backend: "wal",
    serialization: "bytes",
    path: path === undefined ? simpleKvPath : (source.scalar(path) as string),
    wal: { syncWrites: syncWrites === undefined ? false : (source.scalar(syncWrites) as boolean) },
  } as const;
  const places = new Map([["name", at]]);
  if (path !== undefined) places.set("path", path);
  if (syncWrites !== undefined) places.set("wal.syncWrites", syncWrites);
  const store = { name: simpleKvName, options, at, places };
  if (enabled === undefined) return [store];
  const isEnabled = source.scalar(enabled);
  if (typeof isEnabled !== "boolean") {
    source.failAt(enabled, `must be a boolean, got ${describe(isEnabled)}`);
  }
  // What is switched off must be right nevertheless: it will be switched on one day.
  checkedOptions(source, store);
  return isEnabled ? [store] : [];
}

// To `openKv` an empty path stands for the default; in a document it is a mistake.
function checkPath(source: YamlSource, entry: Entry | undefined): void {
  if (entry === undefined) return;
  const path = source.scalar(entry);
  const isPath = typeof path === "string" && path.trim() !== "" && !path.includes("\0");
  if (!isPath) source.failAt(entry, `must be a path, got ${describe(path)}`);
}

// The options themselves say what is wrong with them; here it is said where.
function checkedOptions(source: YamlSource, store: PlacedStore): KvOptions {
  const options = normalized(source, store);
  const { backend, path } = options;
  const idle: Entry[] = backendGroups
    .filter((name) => name !== backend)
    .flatMap((name) => store.places.get(name) ?? []);
  const pathAt = store.places.get("path");
  if (pathAt !== undefined && path === "") idle.push(pathAt);
  const [first] = idle;
  if (first !== undefined) source.failAt(first, `has no meaning for the backend "${backend}"`);
  return options;
}

function normalized(source: YamlSource, { at, options, places }: PlacedStore): KvOptions {
  try {
    return normalizeOptions(options);
  } catch (error) {
    if (!isKvError(error)) throw error;
    const [, option = "", part = "", rest = ""] =
      /^option "([\w.]+)((?:\[\d+\][\w.]*)?)" (.*)$/s.exec(error.message) ?? [];
    const found = places.get(option);
    const entry = found === undefined ? found : { ...found, path: found.path + part };
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    if (entry !== undefined) return source.failAt(entry, rest, { cause: error, ...hint });
    return source.failAt(at, `is refused: ${error.message}`, { cause: error, ...hint });
  }
}
