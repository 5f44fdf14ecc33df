// Store calls: what the commands ask of a store, whether the library has it open or a server answers.
//
// Values are those of the library: any JSON, text, or bytes, as the store has it.

import type { Kv } from "../kv/kv.js";
import type { Serialization } from "../kv/options/options.js";
import type { ClaimPage, ClaimRef, Entry, KeyPage, KvStats, ScanPage } from "../kv/types.js";

export interface PageOptions {
  readonly prefix: string;
  readonly limit: number;
  readonly cursor: string;
}

/** A part of the methods of `Kv`, with their meaning. */
export interface StoreCalls {
  find(key: string): Promise<unknown>;
  set(key: string, value: unknown, options: WriteOptions): Promise<unknown>;
  setIfAbsent(key: string, value: unknown, options: { ttl?: number | undefined }): Promise<boolean>;
  deleteMany(keys: string[]): Promise<{ deleted: number; missing: number }>;
  deleteByPrefix(options: {
    prefix: string;
    limit: number;
  }): Promise<{ deleted: number; done: boolean }>;
  scan(options: PageOptions): Promise<ScanPage>;
  scanKeys(options: PageOptions): Promise<KeyPage>;
  count(options: { prefix: string }): Promise<number>;
  stats(): Promise<KvStats>;
  claimRandom(options: {
    prefix: string;
    owner: string;
  }): Promise<(ClaimRef & { entry: Entry }) | null>;
  listClaims(options: PageOptions): Promise<ClaimPage>;
  releaseClaim(claim: ClaimRef): Promise<boolean>;
}

export interface WriteOptions {
  readonly ttl?: number | undefined;
  readonly keepTtl?: boolean | undefined;
}

/** A store that is open for one command. */
export interface Target {
  /** Without a password. */
  readonly address: string;
  readonly serialization: Serialization;
  readonly calls: StoreCalls;
  /** undefined where a server carries out the operations of the library. */
  readonly kv: Kv | undefined;
  close(): Promise<void>;
}
