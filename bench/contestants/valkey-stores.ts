// Stores on Valkey: anykv, and the client alone with the same JSON, on the same server.

import { type Kv, openKv } from "anykv";
import { Redis } from "iovalkey";
import type { BenchServer } from "../harness/server.js";

export const valkeyName = "anykv valkey";
export const bareValkeyName = "bare iovalkey";

let stores = 0;

export function openValkeyStore({ url }: BenchServer): Kv {
  return openKv({ backend: "valkey", name: `bench-${stores++}`, valkey: { url } });
}

/** Auto-pipelining is what anykv uses itself. */
export function bareClient({ port }: BenchServer): Redis {
  return new Redis({ host: "127.0.0.1", port, enableAutoPipelining: true });
}

/** A function of the server that adds to a number: the least that an increment by FCALL can cost. */
export async function loadBareFunction(client: Redis): Promise<void> {
  const source = `#!lua name=bench
redis.register_function("bench_increment", function(keys, args)
  return redis.call("INCRBY", keys[1], args[1])
end)`;
  await client.call("FUNCTION", "LOAD", "REPLACE", source);
}

export async function bareIncrement(client: Redis, key: string): Promise<number> {
  return Number(await client.call("FCALL", "bench_increment", 1, key, 1));
}
