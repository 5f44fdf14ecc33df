// Open target: what the argument STORE of a command means, and the opening of it.
//
// A path is a store in files, of the kind that lies there; `valkey:`, `unix:` and their like are a
// Valkey, or the RESP door of `anykv serve`; `http:` is an HTTP door. Who only reads makes nothing:
// no file, and no store on a server.

import { InvalidOptionsError } from "../base/errors.js";
import { Kv } from "../kv/kv.js";
import { normalizeOptions, type Serialization } from "../kv/options/options.js";
import { acquireApart } from "../kv/registry.js";
import { type Place, sourcePlace, targetPlace } from "./copy-ends.js";
import { httpPlace, isHttpUrl, openHttpTarget } from "./http-calls.js";
import { isUrl } from "./path-argument.js";
import type { Target } from "./store-calls.js";
import type { Terminal } from "./terminal.js";

/** The options that every command on a store has. */
export interface StoreFlags {
  readonly json?: boolean;
  readonly serialization?: Serialization;
}

export interface TargetUse {
  readonly writes: boolean;
  /** What a path becomes where there is nothing yet; left out: that is an error. */
  readonly creates?: { readonly backend: string | undefined };
  /** What the command is called where it needs the library, and a HTTP door does not do. */
  readonly needsLibrary?: string;
  /** Aborted when the command is to end. */
  readonly signal?: AbortSignal;
}

/** @throws InvalidOptionsError, and what opening rejects with. */
export async function openTarget(
  terminal: Terminal,
  text: string,
  { serialization }: StoreFlags,
  use: TargetUse,
): Promise<Target> {
  if (isUrl(text)) warnOfPassword(terminal, text);
  if (isHttpUrl(text)) return openHttp(text, serialization, use);
  const { address, options, isServer } = await placeOf(terminal, text, use);
  const given = serialization === undefined ? {} : { serialization };
  const isOwn = !isServer && !use.writes ? {} : { disk: {} };
  const normalized = normalizeOptions({ ...options, ...given, ...isOwn });
  const shared = acquireApart(normalized, { creates: use.writes });
  const kv = new Kv(shared);
  try {
    await shared.store;
  } catch (error) {
    await kv.close().catch(() => {});
    throw error;
  }
  return {
    ...{ address, kv, calls: kv, serialization: normalized.serialization },
    close: () => kv.close(),
  };
}

function placeOf({ env }: Terminal, text: string, { creates }: TargetUse): Promise<Place> {
  return creates === undefined
    ? sourcePlace(env, text, "STORE")
    : targetPlace(env, text, creates.backend, "STORE");
}

function openHttp(
  text: string,
  serialization: Serialization | undefined,
  { needsLibrary, signal, creates }: TargetUse,
): Promise<Target> {
  if (needsLibrary !== undefined) {
    throw new InvalidOptionsError(`${needsLibrary} does not work through an HTTP door`, {
      hint: "give the path of the store, or the URL of the RESP door: valkey://host:port",
    });
  }
  if (serialization !== undefined) {
    throw new InvalidOptionsError(
      'option "--serialization" is for paths and valkey URLs: an HTTP door knows its own',
    );
  }
  if (creates?.backend !== undefined) {
    throw new InvalidOptionsError('option "--backend" is for a path only, and STORE is an URL');
  }
  return openHttpTarget(httpPlace(text, process.env.ANYKV_TOKEN, signal));
}

/** The arguments of a process are shown to everybody on its machine. */
function warnOfPassword(terminal: Terminal, text: string): void {
  if (!URL.canParse(text) || new URL(text).password === "") return;
  terminal.error(
    "anykv: warning: a password in an argument is seen by all users of this machine; " +
      "leave it out of the URL and set ANYKV_PASSWORD\n",
  );
}

/** Opens a store, does the work and closes it; a write that fails while it closes is told of. */
export async function withTarget<Result>(
  terminal: Terminal,
  text: string,
  flags: StoreFlags,
  use: TargetUse,
  work: (target: Target) => Promise<Result>,
): Promise<Result> {
  const target = await openTarget(terminal, text, flags, use);
  let result: Result;
  try {
    result = await work(target);
  } catch (error) {
    await target.close().catch(() => {});
    throw error;
  }
  await target.close();
  return result;
}
