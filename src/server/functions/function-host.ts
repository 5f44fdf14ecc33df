// Function host: what operations are carried out on, and what they remember between calls.

import type { Awaitable } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import type { Allocation } from "../../operations/claims.js";
import type { DirectAccess } from "../../store/direct.js";
import type { CountedSource } from "../../store/store.js";
import type { Loads } from "./loads.js";
import type { Marks } from "./marks.js";

/** A store of this process. */
export interface ServedStore {
  readonly direct: DirectAccess;
  replace(source: CountedSource): Promise<void>;
  allocation(prefix: string): Awaitable<Allocation>;
}

export interface FunctionHost {
  readonly store: ServedStore;
  readonly env: Env;
  readonly loads: Loads;
  /** Where the pages of others have ended. */
  readonly marks: Marks;
  /** Whether the partition has been opened in the life of this server. */
  isOpen: boolean;
  /** Added to the changes of the store, so that those of another life of the server differ. */
  readonly changesBefore: number;
  /** The token before the first one of a store that has never granted any. */
  readonly firstToken: () => number;
}
