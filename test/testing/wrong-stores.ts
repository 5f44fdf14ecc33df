// Wrong stores: memory stores that get one thing wrong each, and stores that are watched.

import type { Kv } from "anykv";
import type { StoreFactory } from "anykv/testing";
import { memoryFactory } from "../engines/memory/memory-factory.js";

type Call = (...args: any[]) => Promise<any>;
/** What stands in for a method; `original` is the real one. */
type Sabotage = (original: Call, args: any[], kv: Kv) => Promise<any>;
/** By the name of the method, those of filters as "filter.add". */
export type Sabotages = Readonly<Record<string, Sabotage>>;

/** Is told how each call has ended. */
export type Watch = (method: string, outcome: { value: unknown } | { error: string }) => void;

function replaced<Target extends object>(
  target: Target,
  replacement: (method: string, original: Call) => Call,
): Target {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== "function") return member;
      const original = member.bind(object);
      if (name !== "filter") return replacement(String(name), original);
      return (bucket: string) =>
        replaced(original(bucket), (method, call) => replacement(`filter.${method}`, call));
    },
  });
}

function memoryWith(replacement: (method: string, original: Call, kv: Kv) => Call): StoreFactory {
  return {
    ...memoryFactory,
    async create(options) {
      const store = await memoryFactory.create(options);
      const kv = replaced(store.kv, (name, original) => replacement(name, original, store.kv));
      return { ...store, kv };
    },
  };
}

export function wrongMemory(sabotages: Sabotages): StoreFactory {
  return memoryWith((method, original, kv) => {
    const sabotage = sabotages[method];
    return sabotage === undefined ? original : (...args) => sabotage(original, args, kv);
  });
}

export function watchedMemory(watch: Watch): StoreFactory {
  return memoryWith((method, original) => async (...args) => {
    try {
      const value = await original(...args);
      watch(method, { value });
      return value;
    } catch (error) {
      watch(method, { error: (error as Error).name });
      throw error;
    }
  });
}

/** A method whose results are changed. */
function changed(change: (result: any) => any): Sabotage {
  return async (original, args) => change(await original(...args));
}

/** A method that does not see one of its options. */
function blindTo(option: string): Sabotage {
  return (original, args) => {
    const { [option]: _, ...others } = args.at(-1) ?? {};
    return original(...args.slice(0, -1), others);
  };
}

function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).reverse());
}

export const sabotages: Readonly<Record<string, Sabotages>> = {
  "answers null for a missing key": {
    get: (original, args) => original(...args).catch(() => null),
  },
  "forgets the guard of a write": { set: blindTo("claim") },
  "forgets the guard of an array": { append: blindTo("claim") },
  "forgets a ttl": { set: blindTo("ttl") },
  "forgets to keep a ttl": { swap: blindTo("keepTtl") },
  "deletes nothing": { delete: async () => true },
  "writes half a batch": {
    setMany: async (original, [entries, options]) => {
      await original(Object.fromEntries(Object.entries(entries).slice(1)), options);
      return { written: Object.keys(entries).length };
    },
  },
  "turns the properties of objects round": {
    list: changed((entries) =>
      entries.map((entry: any) => ({ ...entry, value: reversed(entry.value) })),
    ),
  },
  "ends a scan one key too early": {
    scan: changed((page) => ({ ...page, entries: page.entries.slice(0, -1) })),
  },
  "ends a scan with a cursor": {
    scanKeys: changed((page) => ({ ...page, cursor: page.cursor || "YQ==" })),
  },
  "goes on with a scan without a cursor": {
    scanKeys: changed((page) => ({ ...page, cursor: "" })),
  },
  "starts every page at the start": { scanKeys: blindTo("cursor") },
  "draws keys of any prefix": { randomKey: blindTo("prefix") },
  "draws a key twice": { randomKeys: changed((keys) => keys.map(() => keys[0])) },
  "draws too few keys": { randomKeys: changed((keys) => keys.slice(1)) },
  "reports the end of a lease wrongly": {
    claimKey: changed((claim) => claim && { ...claim, expiresAt: claim.expiresAt + 1 }),
  },
  "gives all claims one id": {
    claimRandom: changed((claim) => claim && { ...claim, id: "claim" }),
  },
  "skips a token": {
    claimRandomMany: changed((claims) =>
      claims.map((claim: any) => ({ ...claim, token: claim.token + 1 })),
    ),
  },
  "claims some where it was to claim all or none": { claimKeys: blindTo("allOrNothing") },
  "pops entries of any prefix": { popRandom: blindTo("prefix") },
  "keeps what is completed": {
    completeClaim: (original, [claim]) => original(claim, { deleteKey: false }),
  },
  "renews for a millisecond": { renewClaim: (original, [claim]) => original(claim, { ttl: 1 }) },
  "pops at the wrong end": { pop: (_, [key, options], kv) => kv.popFirst(key, options) },
  "answers at once instead of waiting": {
    popFirstWait: (original, [key, options]) => original(key, { ...options, timeout: 0 }),
  },
  "waits for ever": { popWait: blindTo("timeout") },
  "waits on when it is aborted": { popWait: blindTo("signal") },
  "loses a millisecond": { ttl: changed((ms) => (typeof ms === "number" ? ms - 1 : ms)) },
  "lets nothing expire": { expire: changed(() => true) },
  "counts too many expired claims": {
    allocationStats: changed((stats) => ({ ...stats, claimedExpired: stats.claimedExpired + 20 })),
  },
  "has an index that is off by one": {
    stats: changed(({ index, ...stats }) => ({
      ...stats,
      index: index && { ...index, ost: index.ost + 1 },
    })),
  },
  "keeps no items": { "filter.add": async () => true },
  "counts items wrongly": { "filter.size": changed((size) => size + 1) },
  "empties everything with a bucket": {
    "filter.clear": (original, _, kv) => kv.clear().then(() => original()),
  },
};
