// Configuration: stores from a YAML file, all of them open, or none.
//
// `openKv` returns at once and lets the first operation wait for the opening. A program that opens
// what its operators have written down wants to know before it goes on, so here the opening itself
// is awaited: the registry that comes back holds open stores only.
//
// The parser of YAML takes as long to load as all the rest of the library. It is loaded here, when
// it is needed.

import { errorClasses, InvalidOptionsError, isKvError } from "../../base/errors.js";
import { configBytesMax } from "../../base/limits.js";
import type { Env } from "../../env/env.js";
import { describe } from "../arguments.js";
import { Kv } from "../kv.js";
import { namedFields, namesOf } from "../option-names.js";
import { envOption, normalizeOptions, type OpenKvOptions } from "../options/options.js";
import { acquireStore } from "../registry.js";
import type { PlacedStore } from "./configured-stores.js";
import { StoreRegistry } from "./store-registry.js";
import type { YamlSource } from "./yaml-source.js";

export interface ConfiguredStore {
  readonly name: string;
  readonly options: OpenKvOptions;
}

export interface OpenConfiguredStoresOptions {
  /** Clock, randomness, timers and files, for the configuration and its stores; for tests. */
  env?: Env | undefined;
}

const optionNames = namesOf<OpenConfiguredStoresOptions>({ env: true });

/**
 * Reads the stores that a YAML document names, in its order, and opens none. Paths are as written:
 * relative ones are meant from the working directory of the process.
 *
 * @param file the name of the document in messages.
 * @throws InvalidOptionsError with file, line, column and key.
 */
export async function parseConfig(
  text: string,
  file = "configuration",
): Promise<ConfiguredStore[]> {
  const { parseSource, placedStores } = await import("./configured-stores.js");
  return placedStores(parseSource(text, file)).map(({ name, options }) => ({ name, options }));
}

/**
 * Reads a YAML file, opens the stores that it names, all at once, and registers each under its name,
 * in the order of the file. Resolves when all are open; when one cannot be opened, the others are
 * closed again first.
 *
 * @throws InvalidOptionsError when the file cannot be read or names something wrong; what opening
 * throws (DiskStoreOpenError, DiskPathError, ...), with the place and the key of the store.
 */
export async function openConfiguredStores(
  file: string,
  options?: OpenConfiguredStoresOptions | null,
): Promise<StoreRegistry> {
  const env = envOption(namedFields(options, optionNames).env ?? undefined);
  const text = await readConfig(env, file);
  const { parseSource, placedStores } = await import("./configured-stores.js");
  const source = parseSource(text, file);
  const stores = placedStores(source);
  const opened = await Promise.allSettled(stores.map((store) => openPlaced(source, store, env)));
  const failed = opened.find((result) => result.status === "rejected");
  const kvs = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failed !== undefined) {
    await Promise.allSettled(kvs.map((kv) => kv.close()));
    throw failed.reason;
  }
  const registry = new StoreRegistry();
  for (const [index, kv] of kvs.entries()) registry.register(stores[index]?.name as string, kv);
  return registry;
}

async function openPlaced(source: YamlSource, store: PlacedStore, env: Env): Promise<Kv> {
  try {
    const shared = acquireStore(normalizeOptions({ ...store.options, env }));
    const kv = new Kv(shared);
    try {
      await shared.store;
      return kv;
    } catch (error) {
      // Counted like any other handle, so it has to be given back.
      await kv.close().catch(() => {});
      throw error;
    }
  } catch (error) {
    throw placed(source, store, error);
  }
}

/** The same error, class and code, that also says which store of which file it concerns. */
function placed(source: YamlSource, { at, places }: PlacedStore, error: unknown): unknown {
  if (!isKvError(error)) return error;
  const entry = error.name === "DiskPathError" ? (places.get("path") ?? at) : at;
  const message = `${source.place(entry.offset)}: ${at.path} cannot be opened: ${error.message}`;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new errorClasses[error.name](message, { key: entry.path, cause: error, ...hint });
}

async function readConfig({ files }: Env, file: string): Promise<string> {
  if (typeof file !== "string" || file.trim() === "" || file.includes("\0")) {
    throw new InvalidOptionsError(`the configuration must be a path, got ${describe(file)}`);
  }
  let bytes: Uint8Array;
  try {
    // What is no file (a pipe, a device) may have no end, or keep us waiting for its beginning.
    const kind = (await files.stat(file))?.kind ?? "file";
    if (kind !== "file") throw new Error(kind === "directory" ? "a directory" : "not a plain file");
    bytes = await readStart({ files }, file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidOptionsError(`${file}: the configuration cannot be read: ${reason}`, {
      cause,
    });
  }
  return decode(file, bytes);
}

/** One byte more than a configuration may have, so that one that is too long is refused as such. */
async function readStart({ files }: Pick<Env, "files">, file: string): Promise<Uint8Array> {
  const handle = await files.open(file, "read");
  try {
    const buffer = new Uint8Array(configBytesMax + 1);
    return buffer.subarray(0, await handle.read(buffer, 0, buffer.length, 0));
  } finally {
    await handle.close();
  }
}

function decode(file: string, bytes: Uint8Array): string {
  if (bytes.length > configBytesMax) {
    throw new InvalidOptionsError(
      `${file}: a configuration must be at most ${configBytesMax} bytes`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidOptionsError(`${file}: the configuration is not UTF-8`, { cause });
  }
}
