// Copy ends: what the arguments FROM and TO of a copy mean.
//
// A path is a store in files, of the kind that lies there. Everything with a scheme is a server; the
// parameters behind its `?` are the options of the store on it that an URL has no other place for.

import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DiskPathError, InvalidOptionsError } from "../base/errors.js";
import type { Env } from "../env/env.js";
import { openStore } from "../kv/backends.js";
import { normalizeOptions } from "../kv/options/options.js";
import { addressText } from "../remote/valkey/valkey-settings.js";
import type { CopyEnd } from "../transfer/copy-types.js";
import { type BackendOfFiles, findBackend } from "./detect-backend.js";
import { isUrl, pathOrNone } from "./path-argument.js";

type End = "FROM" | "TO" | "STORE";

/** A store that is not open yet. */
export interface Place {
  readonly address: string;
  readonly identity: string;
  readonly options: object;
  /** A store on a server comes into being when it is opened: a wrong name is no error there. */
  readonly isServer: boolean;
}

/** @throws InvalidOptionsError for an URL that is none; DiskPathError where there is no store. */
export async function sourcePlace(env: Env, text: string, end: End = "FROM"): Promise<Place> {
  if (isUrl(text)) return serverPlace(env, end, text);
  const path = pathOrNone(text, end);
  const backend = await findBackend(env, path);
  if (backend === undefined) {
    throw new DiskPathError(`${path} is neither the file nor the directory of a store`, {
      hint: `${end} is the \`path\` of a wal or disk store, or the URL of a server`,
    });
  }
  return filesPlace(env, path, backend, { readOnly: true });
}

/** As `sourcePlace`; where there is nothing yet, `asked` says what comes into being, or "disk". */
export async function targetPlace(
  env: Env,
  text: string,
  asked: string | undefined,
  end: End = "TO",
): Promise<Place> {
  if (asked !== undefined && asked !== "wal" && asked !== "disk") {
    throw new InvalidOptionsError(`option "--backend" must be wal or disk, got ${asked}`);
  }
  if (isUrl(text)) {
    if (asked === undefined) return serverPlace(env, end, text);
    throw new InvalidOptionsError(`option "--backend" is for a path only, and ${end} is an URL`);
  }
  const path = pathOrNone(text, end);
  const found = await findBackend(env, path);
  if (found === undefined && /^[\w.-]+:\d{1,5}(?:\/\d*)?$/.test(text)) {
    throw new InvalidOptionsError(`${end} is the address of a server without its scheme`, {
      hint: `write valkey://${text} or http://${text}, or ./${text} for a file`,
    });
  }
  if (found !== undefined && asked !== undefined && found !== asked) {
    throw new InvalidOptionsError(`${path} is a ${found} store, and --backend says ${asked}`);
  }
  return filesPlace(env, path, found ?? asked ?? "disk", {});
}

function filesPlace(env: Env, path: string, backend: BackendOfFiles, disk: object): Place {
  const identity = `${env.processes.host}:${realPath(path)}`;
  const options = { backend, path, env, ...(backend === "disk" ? { disk } : {}) };
  return { address: path, identity, options, isServer: false };
}

/** The same for every way that leads to it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Nothing is there yet, or files are not the system's.
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

const ownParameters = ["name", "prefix", "cluster", "partitions"] as const;
const socketParameters = ["database", "db"] as const;

/** @throws InvalidOptionsError; its messages show no password. */
function serverPlace(env: Env, end: End, text: string): Place {
  if (!URL.canParse(text)) {
    throw new InvalidOptionsError(`${end} is an URL that is malformed`, {
      hint: 'in a user or a password, write "/", "?", "#", "@", ":" and "%" as %2F, %3F, %23, %40, %3A and %25',
    });
  }
  const url = new URL(text);
  checkParameters(url, end);
  const given = Object.fromEntries(
    ownParameters.map((name) => [name, url.searchParams.get(name) ?? undefined]),
  );
  for (const name of ownParameters) url.searchParams.delete(name);
  const { name, prefix, partitions } = given;
  const valkey = {
    url: url.href,
    ...passwordBeside(url, end),
    ...(prefix === undefined ? {} : { prefix }),
    ...(partitions === undefined ? {} : { partitions: Number(partitions) }),
    cluster: clusterParameter(given.cluster),
  };
  const options = { backend: "valkey", name, env, valkey };
  const settings = inWordsOfUrl(end, () => normalizeOptions(options)).valkey;
  const nodes = settings?.nodes.map(addressText).join(",") ?? "";
  const place = `${nodes}/${settings?.database} ${settings?.prefix} ${name ?? ""}`;
  const identity = /^(localhost|127\.|\[?::1|\/)/.test(place)
    ? `${env.processes.host}:${place}`
    : place;
  return { address: shownUrl(url, given), identity, options, isServer: true };
}

/** What is wrong with an option is said of the part of the URL that it has come from. */
function inWordsOfUrl<Result>(end: End, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const [, option = "", rest = ""] =
      (error instanceof InvalidOptionsError && /^option "([\w.]+)" (.*)$/s.exec(error.message)) ||
      [];
    if (!(error instanceof InvalidOptionsError) || option === "") throw error;
    const what =
      option === "valkey.url" ? "the URL" : `"${option.replace("valkey.", "")}" in the URL`;
    const { hint } = error;
    throw new InvalidOptionsError(`${what} ${end} ${rest}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The arguments of a process are shown to everybody on its machine, its environment is not. */
function passwordBeside(url: URL, end: End): { password?: string } {
  const variable = end === "STORE" ? "ANYKV_PASSWORD" : `ANYKV_${end}_PASSWORD`;
  const password = process.env[variable] ?? "";
  return url.password !== "" || password === "" ? {} : { password };
}

function checkParameters(url: URL, end: End): void {
  const known: readonly string[] =
    url.protocol === "unix:" ? [...ownParameters, ...socketParameters] : ownParameters;
  const names = [...url.searchParams.keys()];
  for (const [index, name] of names.entries()) {
    // Behind a "?" that is part of a password stands the rest of it.
    const shown = url.search.includes("@") ? "a parameter" : `the parameter "${name}"`;
    if (!known.includes(name)) {
      throw new InvalidOptionsError(`${shown} in the URL ${end} is not known`, {
        hint: `known are ${known.join(", ")}; put the URL in quotes`,
      });
    }
    if (names.indexOf(name) !== index || url.searchParams.get(name) === "") {
      throw new InvalidOptionsError(`${shown} in the URL ${end} must be given once, with a value`);
    }
  }
}

function clusterParameter(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw new InvalidOptionsError(`"cluster" in an URL must be true or false, got ${text}`);
}

/** Without who speaks to it, and how they prove it. */
function shownUrl(url: URL, given: Readonly<Record<string, string | undefined>>): string {
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) shown.searchParams.set(name, value);
  }
  return shown.href;
}

/** @param creates whether a store on a server is made where it is not there. */
export async function openEnd(place: Place, creates: boolean): Promise<CopyEnd> {
  const { address, identity, options } = place;
  return { store: await openStore(normalizeOptions(options), { creates }), address, identity };
}
