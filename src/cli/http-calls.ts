// HTTP calls: the operations of a store behind the HTTP door of a server, for the commands.
//
// Nothing is repeated: whoever loses the connection in the middle of a write does not know whether it
// was carried out, and is told so.

import { setMaxListeners } from "node:events";
import {
  type ErrorName,
  errorClasses,
  InvalidOptionsError,
  type KvError,
  ServerConnectionError,
  UnexpectedStoreOutputError,
} from "../base/errors.js";
import type { Serialization } from "../kv/options/options.js";
import type { ClaimPage, ClaimRef, Entry, KeyPage, KvStats, ScanPage } from "../kv/types.js";
import { checkCanceled } from "../transfer/transfer.js";
import type { PageOptions, StoreCalls, Target, WriteOptions } from "./store-calls.js";

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Where a door is, and what proves that one may ask. */
export interface HttpPlace {
  /** Without a slash at its end, and without a token. */
  readonly base: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws InvalidOptionsError; its messages show no token. */
export function httpPlace(
  text: string,
  token: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): HttpPlace {
  if (!URL.canParse(text)) throw new InvalidOptionsError("STORE is an URL that is malformed");
  const { username, password, search, hash, origin, pathname } = new URL(text);
  if (username !== "" || password !== "" || search !== "" || hash !== "") {
    throw new InvalidOptionsError("the URL of an HTTP door has neither user, password nor `?`", {
      hint: "set ANYKV_TOKEN in the environment",
    });
  }
  // As many as there are calls at once.
  setMaxListeners(0, signal);
  return { base: origin + pathname.replace(/\/+$/, ""), token, signal };
}

export async function openHttpTarget(place: HttpPlace): Promise<Target> {
  const stats = await callOperation<KvStats>(place, "stats", {});
  const { serialization } = stats;
  return {
    address: place.base,
    serialization,
    calls: new HttpCalls(place, serialization),
    kv: undefined,
    close: async () => {},
  };
}

/** Sends a request; the answer has the status 200. @throws the error that the server answers with. */
export async function request(
  { base, token, signal }: HttpPlace,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(base + path, {
      ...init,
      signal,
      redirect: "error",
      headers: { ...(init.headers as Record<string, string>), ...authorization },
    });
  } catch (cause) {
    checkCanceled({ signal });
    const { cause: inner } = cause as { cause?: unknown };
    const reason = inner instanceof Error ? inner.message : (cause as Error).message;
    throw new ServerConnectionError(`no answer from ${base}: ${reason}`, {
      cause,
      hint: "check address and port, and that `anykv serve` has an HTTP door open there",
    });
  }
  if (response.status !== 200) throw errorOf(base, response.status, await textOf(base, response));
  return response;
}

async function textOf(base: string, response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw new ServerConnectionError(`the connection to ${base} broke in the middle of the answer`, {
      cause,
    });
  }
}

function errorOf(base: string, status: number, text: string): Error {
  const answer = jsonOrNone(text) as { error?: Partial<KvError> } | null | undefined;
  const { name = "", message, key, hint, errors } = answer?.error ?? {};
  if (typeof message !== "string" || !Object.hasOwn(errorClasses, name)) {
    return new UnexpectedStoreOutputError(
      `${base} answers with the status ${status}, and not as an HTTP door of anykv`,
    );
  }
  const known = { key, hint, errors };
  const details = Object.fromEntries(
    Object.entries(known).filter(([, detail]) => detail !== undefined),
  );
  const help =
    status === 401 ? { hint: "set ANYKV_TOKEN in the environment to a token of the server" } : {};
  return new errorClasses[name as ErrorName](message, { ...details, ...help });
}

function jsonOrNone(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** With a signal for each call: `fetch` stays on the list of its signal until that is collected. */
async function callOperation<Result>(
  place: HttpPlace,
  operation: string,
  fields: object,
): Promise<Result> {
  const { signal } = place;
  const call = new AbortController();
  const abort = (): void => call.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await resultOf({ ...place, signal: call.signal }, operation, fields);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function resultOf<Result>(
  place: HttpPlace,
  operation: string,
  fields: object,
): Promise<Result> {
  const response = await request(place, `/v1/${operation}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  const answer = jsonOrNone(await textOf(place.base, response));
  if (typeof answer === "object" && answer !== null) return (answer as { result: Result }).result;
  throw new UnexpectedStoreOutputError(`${place.base} does not answer as an HTTP door of anykv`);
}

class HttpCalls implements StoreCalls {
  readonly #place: HttpPlace;
  /** Values travel in base64. */
  readonly #isBytes: boolean;

  constructor(place: HttpPlace, serialization: Serialization) {
    this.#place = place;
    this.#isBytes = serialization === "bytes";
  }

  #call<Result>(operation: string, fields: object): Promise<Result> {
    return callOperation(this.#place, operation, fields);
  }

  #sent(value: unknown): unknown {
    return this.#isBytes ? Buffer.from(value as Uint8Array).toString("base64") : value;
  }

  #received(value: unknown): unknown {
    return this.#isBytes && typeof value === "string" ? Buffer.from(value, "base64") : value;
  }

  async find(key: string): Promise<unknown> {
    return this.#received(await this.#call("find", { key }));
  }

  set(key: string, value: unknown, options: WriteOptions): Promise<unknown> {
    return this.#call("set", { key, value: this.#sent(value), ...options });
  }

  setIfAbsent(key: string, value: unknown, options: WriteOptions): Promise<boolean> {
    return this.#call("set_if_absent", { key, value: this.#sent(value), ...options });
  }

  deleteMany(keys: string[]): Promise<{ deleted: number; missing: number }> {
    return this.#call("delete_many", { keys });
  }

  deleteByPrefix(options: object): Promise<{ deleted: number; done: boolean }> {
    return this.#call("delete_by_prefix", options);
  }

  async scan(options: PageOptions): Promise<ScanPage> {
    const page = await this.#call<ScanPage>("scan", options);
    const entries = page.entries.map(({ key, value }) => ({ key, value: this.#received(value) }));
    return { ...page, entries };
  }

  scanKeys(options: PageOptions): Promise<KeyPage> {
    return this.#call("scan_keys", options);
  }

  count(options: { prefix: string }): Promise<number> {
    return this.#call("count", options);
  }

  stats(): Promise<KvStats> {
    return this.#call("stats", {});
  }

  claimRandom(options: object): Promise<(ClaimRef & { entry: Entry }) | null> {
    return this.#call("claim_random", options);
  }

  listClaims(options: PageOptions): Promise<ClaimPage> {
    return this.#call("list_claims", options);
  }

  releaseClaim({ id, key, token }: ClaimRef): Promise<boolean> {
    return this.#call("release_claim", { claim: { id, key, token } });
  }
}
