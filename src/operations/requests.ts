// Requests: the arguments of operations, the same for every kind of store.
//
// Durations are milliseconds and relative: the store that carries a request out adds them to its
// own clock, which is the server's where there is a server.

import type { Stored } from "../engine/stored.js";

/** What proves that the caller holds a claim. A whole claim may be passed. */
export interface ClaimRef {
  readonly id: string;
  readonly key: string;
  readonly token: number;
}

/** Refuses the write with `StaleClaimError` unless the claim is live. */
export interface Guard {
  readonly claim?: ClaimRef;
}

/** For operations that replace a whole value: without options the new value never expires. */
export interface ReplaceOptions extends Guard {
  readonly ttl?: number;
  /** Keep the expiry that the key already has. */
  readonly keepTtl?: boolean;
}

/** For operations that change a key in place: `ttl` applies when they create it. */
export interface CreateOptions extends Guard {
  readonly ttl?: number;
}

export interface KeyRequest {
  readonly key: string;
  readonly options?: Guard | undefined;
}

/** Throws when a stored value cannot be read in the serialization of the store. */
export type CheckValue = (stored: Stored) => void;

/** Hands a value out for the last time: it is checked first, and stays when it is unreadable. */
export interface TakeRequest extends KeyRequest {
  readonly check: CheckValue;
}

export interface ValueRequest {
  readonly key: string;
  readonly value: Stored;
  readonly options?: ReplaceOptions | undefined;
}

export interface Entry {
  readonly key: string;
  readonly value: Stored;
}

export interface EntriesRequest {
  readonly entries: readonly Entry[];
  readonly options?: ReplaceOptions | undefined;
}

export interface KeysRequest {
  readonly keys: readonly string[];
  readonly options?: Guard | undefined;
}

export interface PrefixDeleteRequest {
  readonly prefix: string;
  readonly limit: number;
  readonly options?: Guard | undefined;
}

export interface IncrementRequest {
  readonly key: string;
  readonly delta: number;
  readonly options?: CreateOptions | undefined;
}

/** Equality of stored values in the serialization of the store. */
export type SameValue = (current: Stored, expected: Stored) => boolean;

export interface ReplaceRequest extends ValueRequest {
  readonly check: CheckValue;
}

export interface CompareSwapRequest {
  readonly key: string;
  /** undefined: the key must be absent. */
  readonly expected: Stored | undefined;
  readonly value: Stored;
  readonly same: SameValue;
  readonly options?: ReplaceOptions | undefined;
}

export interface CompareDeleteRequest {
  readonly key: string;
  readonly expected: Stored;
  readonly same: SameValue;
  readonly options?: Guard | undefined;
}

export interface ScanRequest {
  readonly prefix: string;
  /** Resume at the first key greater than this one; "" starts at the prefix. */
  readonly after: string;
  /** 0: everything. */
  readonly limit: number;
  /** A page of values ends with the one with which it becomes so large; absent: whatever its size. */
  readonly bytesMax?: number | undefined;
}

export interface SampleRequest {
  readonly prefix: string;
  readonly count: number;
  readonly unique: boolean;
}

export interface AllocateRequest {
  readonly prefix: string;
  readonly count: number;
  readonly check: CheckValue;
}

export interface PopRandomRequest extends AllocateRequest {
  readonly options?: Guard | undefined;
}

/** `ttl` is the length of the lease; an empty owner is none. */
export interface LeaseOptions {
  readonly ttl: number;
  readonly owner: string;
  /** Tokens that are granted are above it. */
  readonly tokenBound?: number;
}

export interface ClaimRandomRequest extends AllocateRequest {
  readonly lease: LeaseOptions;
}

export interface ClaimKeysRequest {
  readonly keys: readonly string[];
  readonly allOrNothing: boolean;
  readonly lease: LeaseOptions;
  readonly check: CheckValue;
}

export interface CompleteRequest {
  readonly claims: readonly ClaimRef[];
  readonly deleteKey: boolean;
}

export interface ReleaseRequest {
  readonly claims: readonly ClaimRef[];
}

export interface RenewRequest {
  readonly claims: readonly ClaimRef[];
  readonly ttl: number;
}

/** Which end of an array. */
export type End = "first" | "last";

export interface PushRequest {
  readonly key: string;
  readonly value: Stored;
  readonly end: End;
  readonly options?: CreateOptions | undefined;
}

export interface PopRequest extends TakeRequest {
  readonly end: End;
}

export interface RangeRequest {
  readonly key: string;
  /** As in `Array.prototype.slice`: negative counts from the end, `end` is excluded. */
  readonly start: number;
  readonly end: number;
}

export interface ListKeysRequest {
  readonly prefix: string;
  readonly limit: number;
}

export interface ExpireRequest {
  readonly key: string;
  readonly ttl: number;
  readonly options?: Guard | undefined;
}

export interface MemberRequest {
  readonly bucket: string;
  readonly item: string;
  readonly ttl?: number | undefined;
  readonly options?: Guard | undefined;
}

export interface BucketRequest {
  readonly bucket: string;
  readonly options?: Guard | undefined;
}
