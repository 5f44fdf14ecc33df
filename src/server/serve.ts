// Serve: the doors of a store to other processes.

import { newDeferred } from "../base/deferred.js";
import { InvalidOptionsError } from "../base/errors.js";
import { refuse } from "../kv/arguments.js";
import { Handle, type Served } from "../kv/handle.js";
import { Kv } from "../kv/kv.js";
import { namedFields, namesOf } from "../kv/option-names.js";
import { openRespDoor, type RespAddress, type RespDoor } from "./resp/resp-door.js";
import type { RespOptions } from "./resp/resp-options.js";

export interface ServeOptions {
  /** Clients of Redis and Valkey. `true`: with all defaults. */
  resp?: RespOptions | boolean | undefined;
}

/** Where the doors are that have been opened. */
export interface ServerAddress {
  readonly resp?: RespAddress;
}

export interface KvServer extends AsyncDisposable {
  readonly address: ServerAddress;
  /**
   * Closes the doors: no new connections, what has been received is finished, then connections end.
   * The store stays open. Repeated calls return the same promise.
   */
  close(): Promise<void>;
}

/**
 * Opens doors to a store and resolves when they are open. They close with the handle at the latest,
 * and the store closes after them.
 *
 * @throws InvalidOptionsError, what the opening of the store rejects with, and what listening fails
 * with; then no door is open.
 */
export async function serve<Schema>(kv: Kv<Schema>, options: ServeOptions): Promise<KvServer> {
  if (!(kv instanceof Kv)) refuse("kv", "a handle that openKv has made", kv);
  const { resp } = namedFields(options, namesOf<ServeOptions>({ resp: true })) as ServeOptions;
  if (resp === undefined || resp === null || resp === false) {
    throw new InvalidOptionsError("there is no door to open", { hint: "set the option `resp`" });
  }
  const door = await openRespDoor(kv, resp === true ? {} : resp);
  try {
    return serverOf(await Handle.served(kv), door);
  } catch (error) {
    await door.close();
    throw error;
  }
}

function serverOf({ shared, closing }: Served, resp: RespDoor): KvServer {
  const ended = newDeferred();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing.removeEventListener("abort", onClosing);
    closed ??= resp.close().finally(() => ended.resolve());
    return closed;
  };
  const onClosing = (): void => void close();
  closing.addEventListener("abort", onClosing);
  // The store waits for the doors: what has been received can still be carried out.
  shared.attend(ended.promise);
  return { address: { resp: resp.address }, close, [Symbol.asyncDispose]: close };
}
