// Configuration: stores named in a YAML document.
//
//   anykv:
//     stores:
//       sessions: { backend: wal, path: ./data/sessions, wal: { syncWrites: true } }
//   simple_kv: { enabled: true, path: ./data/simple_kv, sync_writes: false }
//
// The second form is read as the Simple KV plugin wrote it: one store of byte values named
// "simple_kv" on the wal backend. Other top-level keys belong to other programs and are left alone.
// Everything wrong is reported with file, line, column and the key.

import { readFileSync } from "node:fs";
import {
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { InvalidOptionsError, isKvError } from "../../base/errors.js";
import { describe } from "../arguments.js";
import { openKv } from "../open-kv.js";
import { normalizeOptions, type OpenKvOptions } from "../options/options.js";
import { StoreRegistry } from "./store-registry.js";

export interface ConfiguredStore {
  readonly name: string;
  readonly options: OpenKvOptions;
}

const simpleKvName = "simple_kv";
const simpleKvPath = "./data/simple_kv";
const simpleKvKeys = new Set(["enabled", "path", "sync_writes"]);
const storeKeys = new Set([
  "backend",
  "path",
  "serialization",
  "trackKeys",
  "memory",
  "disk",
  "wal",
  "metrics",
]);

/** One document, with the means to say where in it something stands. */
class Source {
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  fail(offset: number, message: string, cause?: unknown): never {
    const { line, col } = this.#lines.linePos(offset);
    throw new InvalidOptionsError(`${this.#file}:${line}:${col}: ${message}`, { cause });
  }

  at(node: unknown): number {
    return (node as Node | null)?.range?.[0] ?? 0;
  }

  /** The pairs of a map with text keys; `path` names the map in messages. */
  entries(node: unknown, path: string): [string, Pair][] {
    if (!isMap(node)) this.fail(this.at(node), `${path} must be a map`);
    return (node as YAMLMap).items.map((pair) => {
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof key !== "string")
        this.fail(this.at(pair.key), `${path} has a key that is no text`);
      return [key, pair];
    });
  }

  known(entries: readonly [string, Pair][], keys: ReadonlySet<string>, path: string): void {
    const unknown = entries.find(([key]) => !keys.has(key));
    if (unknown === undefined) return;
    const expected = [...keys].join(", ");
    this.fail(this.at(unknown[1].key), `${path}.${unknown[0]} is not known; known are ${expected}`);
  }
}

/**
 * Reads the stores that a YAML document names, in its order, without opening them.
 * @throws InvalidOptionsError with file, line, column and key.
 */
export function parseConfig(text: string, file = "configuration"): ConfiguredStore[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const source = new Source(file, lines);
  const [error] = document.errors;
  if (error !== undefined) source.fail(error.pos[0], error.message.split("\n")[0] ?? "", error);
  if (document.contents === null) return [];
  const stores: ConfiguredStore[] = [];
  for (const [key, pair] of source.entries(document.contents, "the document")) {
    if (key === "anykv") stores.push(...generalForm(source, pair.value));
    if (key === simpleKvName) stores.push(...simpleKvForm(source, pair.value));
  }
  return stores;
}

function generalForm(source: Source, node: unknown): ConfiguredStore[] {
  const sections = source.entries(node, "anykv");
  source.known(sections, new Set(["stores"]), "anykv");
  return sections.flatMap(([, section]) =>
    source.entries(section.value, "anykv.stores").map(([name, pair]) => {
      const path = `anykv.stores.${name}`;
      const entries = source.entries(pair.value, path);
      source.known(entries, storeKeys, path);
      const options = { ...(pair.value as YAMLMap).toJSON(), name } as OpenKvOptions;
      checkOptions(source, pair, path, options);
      return { name, options };
    }),
  );
}

// The options themselves say what is wrong with them; here it is said where.
function checkOptions(source: Source, pair: Pair, path: string, options: OpenKvOptions): void {
  try {
    normalizeOptions(options);
  } catch (error) {
    if (!isKvError(error)) throw error;
    const option = /option "(\w+)/.exec(error.message)?.[1];
    const entry = source.entries(pair.value, path).find(([key]) => key === option);
    source.fail(source.at(entry?.[1].key ?? pair.key), `${path}: ${error.message}`, error);
  }
}

function simpleKvForm(source: Source, node: unknown): ConfiguredStore[] {
  const entries = source.entries(node, simpleKvName);
  source.known(entries, simpleKvKeys, simpleKvName);
  const values = new Map(entries);
  const enabled = booleanAt(source, values.get("enabled"), "simple_kv.enabled", true);
  const syncWrites = booleanAt(source, values.get("sync_writes"), "simple_kv.sync_writes", false);
  const path = pathAt(source, values.get("path"), "simple_kv.path", simpleKvPath);
  if (!enabled) return [];
  const options = {
    name: simpleKvName,
    backend: "wal",
    serialization: "bytes",
    path,
    wal: { syncWrites },
  } as const;
  return [{ name: simpleKvName, options }];
}

function scalarOf(pair: Pair | undefined): unknown {
  return isScalar(pair?.value) ? pair.value.value : pair?.value;
}

function booleanAt(
  source: Source,
  pair: Pair | undefined,
  key: string,
  fallback: boolean,
): boolean {
  const value = scalarOf(pair) ?? fallback;
  if (typeof value === "boolean") return value;
  return source.fail(source.at(pair?.value), `${key} must be a boolean, got ${describe(value)}`);
}

function pathAt(source: Source, pair: Pair | undefined, key: string, fallback: string): string {
  const value = scalarOf(pair) ?? fallback;
  const valid = typeof value === "string" && value.trim() !== "" && !value.includes("\0");
  if (valid) return value;
  return source.fail(source.at(pair?.value), `${key} must be a path, got ${describe(value)}`);
}

/**
 * Opens the stores that a YAML file names and registers each under its name.
 * @throws InvalidOptionsError when the file cannot be read or names something wrong.
 */
export function openConfiguredStores(file: string): StoreRegistry {
  const registry = new StoreRegistry();
  try {
    for (const { name, options } of parseConfig(readConfig(file), file)) {
      registry.register(name, openKv(options));
    }
  } catch (error) {
    // Whoever opens all or nothing must not be left with some of them open.
    registry.close().catch(() => {});
    throw error;
  }
  return registry;
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new InvalidOptionsError(`the configuration ${file} cannot be read`, { cause });
  }
}
