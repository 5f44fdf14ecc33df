// A store without a schema: values are unknown until a call names their type.

import type * as anykv from "anykv";
import { type Claim, type Kv, openKv } from "anykv";
import { type AnyWithin, exactly, holds, type IsAny, type MembersWithAny } from "./type-tests.js";

interface User {
  name: string;
}

export async function valuesAreUnknown(kv: Kv): Promise<void> {
  exactly<unknown>()(await kv.get("key"));
  exactly<unknown>()(await kv.find("key"));
  exactly<unknown>()(await kv.fetchRemove("key"));
  exactly<{ key: string; value: unknown } | undefined>()((await kv.list())[0]);
  exactly<unknown>()((await kv.scan()).entries[0]?.value);
  exactly<unknown>()((await kv.getMany(["key"]))[0]?.value);
  exactly<unknown>()((await kv.claimRandom())?.entry.value);
  exactly<unknown>()((await kv.claimKey("key"))?.entry.value);
  exactly<unknown>()((await kv.claimKeys(["key"])).claimed[0]?.entry.value);
  exactly<unknown>()((await kv.claimRandomMany({ count: 1 }))[0]?.entry.value);
  exactly<unknown>()((await kv.popRandom())?.value);
  exactly<unknown>()(await kv.pop("key"));
  exactly<unknown>()(await kv.popFirstWait("key"));
  exactly<unknown[]>()(await kv.range("key"));
  // @ts-expect-error An unknown value has no properties.
  (await kv.get("key")).name;
}

export async function callsNameTypes(kv: Kv): Promise<void> {
  exactly<User>()(await kv.get<User>("key"));
  exactly<User | undefined>()(await kv.find<User>("key"));
  exactly<User | null>()(await kv.fetchRemove<User>("key"));
  exactly<User | null | undefined>()((await kv.getMany<User>(["key"]))[0]?.value);
  exactly<User | undefined>()((await kv.list<User>())[0]?.value);
  exactly<User | undefined>()((await kv.scan<User>({ limit: 1 })).entries[0]?.value);
  exactly<Claim<User> | null>()(await kv.claimRandom<User>({ prefix: "user:" }));
  exactly<Claim<User> | null>()(await kv.claimKey<User>("key"));
  exactly<Claim<User>[]>()((await kv.claimKeys<User>(["key"])).claimed);
  exactly<User | undefined>()((await kv.popRandomMany<User>({ count: 2 }))[0]?.value);
  exactly<User | null>()(await kv.popFirst<User>("queue"));
  exactly<User | null>()(await kv.popWait<User>("queue", { timeout: 5 }));
  exactly<User[]>()(await kv.range<User>("queue"));
}

export async function resultsHaveTheirShapes(kv: Kv): Promise<void> {
  exactly<boolean>()(await kv.exists("key"));
  exactly<true>()(await kv.delete("key"));
  exactly<true>()(await kv.clear());
  exactly<number>()(await kv.incrementBy("key", 1));
  exactly<{ written: number }>()(await kv.setMany({ a: 1 }));
  exactly<{ deleted: number; missing: number }>()(await kv.deleteMany(["a"]));
  exactly<string[]>()((await kv.scanKeys()).keys);
  exactly<number | null | undefined>()(await kv.ttl("key"));
  exactly<number>()(await kv.append("queue", 1));
  const swapped = await kv.compareAndSwapDetailed("key", 1, 2);
  if (swapped.swapped) exactly<"swapped">()(swapped.reason);
  else exactly<boolean>()(swapped.existed);
  // @ts-expect-error A success has no `existed`.
  if (swapped.swapped) swapped.existed;
  // @ts-expect-error The result may be null.
  (await kv.claimRandom()).key;
}

export async function setKeepsTheTypeOfItsValue(kv: Kv): Promise<void> {
  exactly<{ name: string }>()(await kv.set("key", { name: "Ada" }));
  const user: User = { name: "Ada" };
  exactly<User>()(await kv.set("key", user));
}

export async function wrongCallsAreRefused(kv: Kv, claim: Claim): Promise<void> {
  // @ts-expect-error A key is text.
  await kv.get(5);
  // @ts-expect-error A delta is a number.
  await kv.incrementBy("key", "1");
  // @ts-expect-error A count is required.
  await kv.randomKeys({});
  // @ts-expect-error Options are required.
  await kv.claimRandomMany();
  // @ts-expect-error A length is required.
  await kv.renewClaim(claim, {});
  // @ts-expect-error A prefix and a limit are required.
  await kv.deleteByPrefix({ prefix: "a" });
  // @ts-expect-error A ttl is a number.
  await kv.set("key", 1, { ttl: "5" });
  // @ts-expect-error There is no such option.
  await kv.set("key", 1, { expires: 5 });
  // @ts-expect-error A claim has an id, a key and a token.
  await kv.set("key", 1, { claim: { id: "a", key: "b" } });
  // @ts-expect-error Creating has no `keepTtl`.
  await kv.append("queue", 1, { keepTtl: true });
  // @ts-expect-error Items are text or bytes.
  await kv.filter("bucket").add(5);
  // @ts-expect-error There is no such backend.
  openKv({ backend: "redis" });
  // @ts-expect-error There is no such serialization.
  openKv({ serialization: "xml" });
}

export function whatAWholeClaimIsGoodFor(kv: Kv, claim: Claim<User>): void {
  void kv.releaseClaim(claim);
  void kv.completeClaims([claim, { id: "a", key: "b", token: 1 }], { deleteKey: false });
  void kv.set("key", 1, { claim, ttl: 5 });
  void kv.filter("bucket").add("item", { claim });
}

export function absentOptionsMayBeUndefined(kv: Kv, limit: number | undefined): void {
  void kv.scan({ prefix: undefined, limit, cursor: undefined });
  void kv.claimRandom({ owner: undefined, ttl: undefined });
  void openKv({ name: undefined, backend: undefined, memory: undefined });
  void openKv(null);
}

// There is no `any` in what the package exports. The first lines test the test.
holds<IsAny<ReturnType<typeof JSON.parse>>>();
holds<AnyWithin<{ a: (b: { c: ReturnType<typeof JSON.parse> }[]) => void }>>();
holds<AnyWithin<() => Promise<ReturnType<typeof JSON.parse>>>>();

type Exported = typeof anykv;
type Functions = {
  [Name in keyof Exported as Exported[Name] extends (...args: never[]) => unknown
    ? Name
    : never]: Exported[Name];
};

type Nothing<Names> = [Names] extends [never] ? true : false;
holds<Nothing<MembersWithAny<Kv>>>();
holds<Nothing<MembersWithAny<Kv<{ counter: number; [user: `user:${string}`]: User }>>>>();
holds<Nothing<MembersWithAny<anykv.Filter>>>();
holds<Nothing<MembersWithAny<Omit<anykv.KvError, keyof Error>>>>();
holds<Nothing<MembersWithAny<Functions>>>();
holds<Nothing<AnyWithin<[anykv.Entry, anykv.MaybeEntry, anykv.ScanPage, anykv.KeyPage]>>>();
holds<Nothing<AnyWithin<[anykv.Claim, anykv.ClaimedKeys, anykv.FailedClaim]>>>();
holds<Nothing<AnyWithin<[anykv.SwapResult, anykv.DeleteResult, anykv.KvStats]>>>();
holds<Nothing<MembersWithAny<anykv.OpenKvOptions>>>();
