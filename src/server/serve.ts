// Serve: the doors of a store to other processes.
//
// Both doors lead to the same store, know it under the same name, and share one directory for files
// and what is remembered of calls that may come again.

import { newDeferred } from "../base/deferred.js";
import { InvalidOptionsError } from "../base/errors.js";
import { keyBytesMax, storePrefixBytesMax } from "../base/limits.js";
import {
  checkText,
  type Fields,
  field,
  isPlainObject,
  refuse,
  textField,
} from "../kv/arguments.js";
import { Handle, type Served } from "../kv/handle.js";
import { Kv } from "../kv/kv.js";
import { namedFields, namesOf } from "../kv/option-names.js";
import { storeTag } from "../remote/partitions.js";
import { valkeyDefaults } from "../remote/valkey/valkey-settings.js";
import type { ConfinedDirectory } from "./files/confined-directory.js";
import { namingOf, openFiles } from "./files/served-files.js";
import { FunctionDoor, type ServedName } from "./functions/fcall.js";
import { functionLibraryOf, functionRows } from "./functions/function-commands.js";
import type { ServedFunctions } from "./http/function-calls.js";
import { type HttpAddress, type HttpDoor, openHttpDoor } from "./http/http-door.js";
import type { HttpOptions } from "./http/http-options.js";
import { openRespDoor, type RespAddress, type RespDoor } from "./resp/resp-door.js";
import type { RespOptions } from "./resp/resp-options.js";

export interface ServeOptions {
  /** Clients of Redis and Valkey, and other processes with `openKv`. `true`: with all defaults. */
  resp?: RespOptions | boolean | undefined;
  /** JSON over HTTP. `true`: with all defaults. */
  http?: Omit<HttpOptions, "filesDirectory"> | boolean | undefined;
  /**
   * The only directory in which clients may name files. It has to be there, and should be the server's
   * alone. Absent: backups, exports and the like are refused.
   */
  files?: string | undefined;
  /** The `name` under which others open the store with the backend `valkey`. Default: without one. */
  storeName?: string | undefined;
  /** Their `valkey.prefix`. Default "anykv". */
  prefix?: string | undefined;
}

/** Where the doors are that have been opened. */
export interface ServerAddress {
  readonly resp?: RespAddress;
  readonly http?: HttpAddress;
}

export interface KvServer extends AsyncDisposable {
  readonly address: ServerAddress;
  /**
   * Closes the doors: no new connections, what has been received is finished, then connections end.
   * The store stays open. Repeated calls return the same promise.
   */
  close(): Promise<void>;
}

interface ServeSettings {
  readonly resp: RespOptions | undefined;
  readonly http: HttpOptions | undefined;
  readonly files: ConfinedDirectory | undefined;
  readonly name: ServedName;
}

interface Doors {
  readonly resp: RespDoor | undefined;
  readonly http: HttpDoor | undefined;
}

/**
 * Opens doors to a store and resolves when they are open. They close with the handle at the latest,
 * and the store closes after them.
 *
 * @throws InvalidOptionsError, also for the RESP door of a store on a server, which has one itself;
 * ServerListenError, and what the opening of the store rejects with. Then no door is open.
 */
export async function serve<Schema>(kv: Kv<Schema>, options: ServeOptions): Promise<KvServer> {
  if (!(kv instanceof Kv)) refuse("kv", "a handle that openKv has made", kv);
  const settings = await serveSettings(options);
  const ending = new AbortController();
  // What is said of values below is what the types of this handle do not know.
  const handle = kv as unknown as Kv;
  const doors = await openDoors(handle, settings, ending.signal);
  try {
    return serverOf(await Handle.served(handle), doors, ending);
  } catch (error) {
    await closeDoors(doors);
    throw error;
  }
}

const optionNames = namesOf<ServeOptions>({
  resp: true,
  http: true,
  files: true,
  storeName: true,
  prefix: true,
});

/** @throws InvalidOptionsError */
async function serveSettings(options: ServeOptions): Promise<ServeSettings> {
  const fields = namedFields(options, optionNames);
  const [resp, http] = [doorField(fields, "resp"), doorField(fields, "http")];
  if (resp === undefined && http === undefined) {
    throw new InvalidOptionsError("there is no door to open", {
      hint: "set the option `resp` or `http`",
    });
  }
  const directory = textField(fields, "files");
  return {
    resp,
    http: http === undefined ? undefined : httpWith(http, directory),
    files: await openFiles(directory, "files"),
    name: nameIn(fields),
  };
}

/** undefined for a door that is not wanted. What it may be is for the door to say. */
function doorField(fields: Fields, name: "resp" | "http"): object | undefined {
  const options = field(fields, name);
  if (options === undefined || options === false) return undefined;
  if (options === true) return {};
  if (isPlainObject(options)) return options;
  return refuse(`option "${name}"`, "an object of options, true or false", options);
}

function httpWith(http: object, filesDirectory: string | undefined): HttpOptions {
  if (!("filesDirectory" in http)) return { ...http, filesDirectory };
  throw new InvalidOptionsError('option "http.filesDirectory" is `files` here, for both doors');
}

function nameIn(fields: Fields): ServedName {
  const storeName = field(fields, "storeName");
  const prefix = field(fields, "prefix") ?? valkeyDefaults.prefix;
  if (storeName !== undefined) checkText(storeName, 'option "storeName"', keyBytesMax);
  checkText(prefix, 'option "prefix"', storePrefixBytesMax);
  if (/[{}]/.test(prefix)) refuse('option "prefix"', "text without braces", prefix);
  return { prefix, store: storeTag(storeName) };
}

/** All doors, or none. */
async function openDoors(kv: Kv, settings: ServeSettings, signal: AbortSignal): Promise<Doors> {
  const { resp: respOptions, http: httpOptions } = settings;
  const functions = await functionsOf(kv, settings, signal);
  const commands = () => (functions === undefined ? [] : functionRows(functions));
  const resp = respOptions && (await openRespDoor(kv, respOptions, { commands }));
  try {
    const seams = { functions: functions && overHttp(functions), figures: resp?.figures };
    return { resp, http: httpOptions && (await openHttpDoor(kv, httpOptions, seams)) };
  } catch (error) {
    await resp?.close();
    throw error;
  }
}

/** undefined for a store on a server, which has the functions itself. */
async function functionsOf(
  kv: Kv,
  { files, name }: ServeSettings,
  signal: AbortSignal,
): Promise<FunctionDoor | undefined> {
  const served = await Handle.served(kv);
  if (served.store.direct === undefined) return undefined;
  const naming = namingOf(served.shared.options.path, files?.root);
  const library = functionLibraryOf(served);
  return new FunctionDoor(library, name, { kv, directory: files, naming, signal });
}

function overHttp(door: FunctionDoor): ServedFunctions {
  return {
    natureOf: (operation) => door.natureOf(operation),
    call: ({ operation, tag, args }, attend) =>
      door.call([`anykv_${operation}`, "1", `${tag}:v`, ...args], false, attend),
  };
}

async function closeDoors({ resp, http }: Doors): Promise<void> {
  await Promise.all([resp?.close(), http?.close()]);
}

function serverOf({ shared, closing }: Served, doors: Doors, ending: AbortController): KvServer {
  const ended = newDeferred();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing.removeEventListener("abort", onClosing);
    closed ??= closeDoors(doors).finally(() => {
      // Nobody is left who could hear of work with files that has not come to its end.
      ending.abort();
      ended.resolve();
    });
    return closed;
  };
  const onClosing = (): void => void close();
  closing.addEventListener("abort", onClosing);
  // The store waits for the doors: what has been received can still be carried out.
  shared.attend(ended.promise);
  const { resp, http } = doors;
  const address = { ...(resp && { resp: resp.address }), ...(http && { http: http.address }) };
  return { address, close, [Symbol.asyncDispose]: close };
}
