// Exchange: one request and its answer, and what handlers may know of the door.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Env } from "../../env/env.js";
import type { Kv } from "../../kv/kv.js";
import type { ConfinedDirectory } from "../files/confined-directory.js";
import type { Naming } from "../files/named-error.js";
import type { Grant } from "./admission.js";
import type { HttpSettings } from "./http-options.js";
import { refused } from "./refusal.js";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly grant: Grant;
  /** Behind the "?" of the path. */
  readonly query: string;
  /** Lets the next request of the connection begin; at the end of this one at the latest. */
  leaveTurn(): void;
}

/** What all exchanges of a door share. */
export interface DoorContext {
  readonly kv: Kv;
  readonly env: Env;
  readonly settings: HttpSettings;
  readonly files: ConfinedDirectory | undefined;
  /** Whether the store keeps bytes, which are base64 text here. */
  readonly isBytes: boolean;
  /** What errors say instead of the paths of the server. */
  readonly naming: Naming;
  /**
   * A signal that is aborted when the caller hangs up; when the door closes, too: at once what only
   * waits, and what works when its time is up.
   */
  attend(exchange: Exchange, pace: "waits" | "works"): AbortSignal;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

export interface Route {
  /** Stands in the metrics. */
  readonly name: string;
  readonly method: "GET" | "POST";
  readonly access: "read" | "write";
  /** Answered without a token. */
  readonly isPublic?: true;
  readonly handle: Handler;
}

/** @throws Refusal for a token that may only read. */
export function requireGrant({ grant }: Pick<Exchange, "grant">, access: "read" | "write"): void {
  if (access === "read" || grant.mayWrite) return;
  throw refused(403, "this token may only read", "use a token that may write");
}

/** The parameters behind the path, each known. @throws Refusal */
export function queryOf(
  { query }: Exchange,
  known: readonly string[],
  repeatable: readonly string[] = [],
): URLSearchParams {
  // Otherwise what is no UTF-8 would be taken for other text.
  if (!isDecodable(query)) throw refused(400, "the parameters are not percent-encoded UTF-8");
  const parameters = new URLSearchParams(query);
  for (const name of new Set(parameters.keys())) {
    const shown = name.length > 40 ? "of a long name" : JSON.stringify(name);
    const isOne = repeatable.includes(name) || parameters.getAll(name).length === 1;
    if (known.includes(name) && isOne) continue;
    if (!isOne) throw refused(400, `the parameter ${shown} is given more than once`);
    const names = known.length === 0 ? "there are none" : `known are ${known.join(", ")}`;
    throw refused(400, `the parameter ${shown} is not known`, names);
  }
  return parameters;
}

function isDecodable(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

/** A whole number, or undefined when the parameter is absent. @throws Refusal */
export function integerIn(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw refused(400, `the parameter "${name}" must be a whole number`);
}
