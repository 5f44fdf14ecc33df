// A library over a store of this process, for tests of their own.

import { type VirtualEnv, virtualEnv } from "anykv/testing";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";
import { formatOf, type ValueFormat } from "../../../src/kv/serialization/format.js";
import type { Reply } from "../../../src/remote/connection.js";
import { bytesIn, isList } from "../../../src/remote/replies.js";
import {
  FunctionLibrary,
  type FunctionOptions,
} from "../../../src/server/functions/function-library.js";
import { wireReply } from "../../../src/server/functions/function-reply.js";
import { LocalStore } from "../../../src/store/local-store.js";
import { received } from "./function-connection.js";

export type Word = string | number | Uint8Array;
/** Bytes as text. */
export type Told = string | number | null | readonly Told[];

export interface ServedMemory {
  readonly env: VirtualEnv;
  readonly store: LocalStore;
  readonly library: FunctionLibrary;
  call(operation: string, ...args: Word[]): Promise<Told>;
}

export interface ServedOptions extends Partial<Omit<FunctionOptions, "format" | "env">> {
  readonly serialization?: ValueFormat["name"];
  readonly seed?: number;
}

export function servedMemory({ serialization = "json", seed = 1, ...rest }: ServedOptions = {}) {
  const env = virtualEnv({ seed });
  const store = new LocalStore(new MemoryEngine(env, { trackKeys: false }), env);
  const library = new FunctionLibrary(store, { env, format: formatOf(serialization), ...rest });
  const call = async (operation: string, ...args: Word[]): Promise<Told> =>
    told(wireReply(await library.call(operation, args.map(received))));
  return { env, store, library, call } satisfies ServedMemory;
}

export function told(reply: Reply): Told {
  if (reply === null || typeof reply === "number") return reply;
  return isList(reply) ? reply.map(told) : bytesIn(reply).toString("latin1");
}
