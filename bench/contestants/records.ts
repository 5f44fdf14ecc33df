// Records: what every workload stores, and under which keys.

export interface Account {
  readonly id: number;
  readonly user: string;
  readonly mail: string;
  readonly version: number;
}

/** About 80 bytes of JSON. */
export function account(id: number, version = 0): Account {
  return { id, user: `user-${id}`, mail: `user-${id}@example.com`, version };
}

export function accountKey(id: number): string {
  return `user:${String(id).padStart(7, "0")}`;
}

export const poolCount = 10;

/** Keys of one pool share a prefix, and the pools take turns: each has a tenth of the keys. */
export function poolKey(id: number): string {
  return `${poolPrefix(id % poolCount)}${String(id).padStart(7, "0")}`;
}

export function poolPrefix(pool: number): string {
  return `pool-${pool}:`;
}

export function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
