// openKv: the one way to a store.

import { Kv } from "./kv.js";
import { normalizeOptions, type OpenKvOptions } from "./options/options.js";
import { acquireStore } from "./registry.js";
import type { AnySchema } from "./schema.js";

/**
 * Opens a store, or a further handle on it, and returns at once; operations wait for the opening.
 * The first successful call without a `name` fixes the options of that store for the process.
 *
 * @throws InvalidOptionsError, InvalidBackendError, InvalidSerializationError for bad options,
 * KVOptionsConflictError when the store is open with other options, BackendUnavailableError when
 * the backend cannot be had here.
 */
export function openKv<Schema = AnySchema>(options?: OpenKvOptions | null): Kv<Schema> {
  return new Kv<Schema>(acquireStore(normalizeOptions(options)));
}
