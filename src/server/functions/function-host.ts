// Function host: what operations are carried out on, and what they remember between calls.

import type { Awaitable, Capabilities } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import type { Allocation } from "../../operations/claims.js";
import type { DirectAccess } from "../../store/direct.js";
import type { CountedSource } from "../../store/store.js";
import type { Loads } from "./loads.js";

/** A store of this process. */
export interface ServedStore {
  readonly direct: DirectAccess;
  readonly capabilities: Pick<Capabilities, "sharing">;
  replace(source: CountedSource): Promise<void>;
  allocation(prefix: string): Awaitable<Allocation>;
}

export interface FunctionHost {
  readonly store: ServedStore;
  readonly env: Env;
  readonly loads: Loads;
  /** The sign of a copy that looks whether its source and its target are one store; "" for none. */
  sign: string;
  /** Added to the changes of the store, so that those of another life of the server differ. */
  readonly changesBefore: number;
  /** Every token that is granted now is above it. */
  readonly tokenBound: () => number;
  /** A text that is another one after every change of the elements of an array, by its id. */
  readonly arrayEdition: (id: number) => string;
}
