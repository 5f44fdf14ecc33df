// Measured store: a memory store of its own that counts its operations.

import { type Kv, type OpenKvOptions, openKv } from "anykv";

let stores = 0;

export function open(options: OpenKvOptions = {}): Kv {
  const name = `store-${++stores}`;
  return openKv({ backend: "memory", name, metrics: { operations: true }, ...options });
}
