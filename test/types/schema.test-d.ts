// A store with a schema: keys and patterns of keys decide which values they hold.

import { type Claim, type KeyOf, type Kv, openKv, type StoreRegistry, type ValueOf } from "anykv";
import { exactly, holds, type Same } from "./type-tests.js";

interface User {
  name: string;
}

interface Shop {
  counter: number;
  title: string;
  jobs: { id: number }[];
  [user: `user:${string}`]: User;
  [flag: `flag:${string}`]: boolean;
}

type AnyValue = number | string | { id: number }[] | User | boolean;

holds<Same<ValueOf<Shop, "counter">, number>>();
holds<Same<ValueOf<Shop, `user:${string}`>, User>>();
holds<Same<KeyOf<Shop>, "counter" | "title" | "jobs" | `user:${string}` | `flag:${string}`>>();

export const shop: Kv<Shop> = openKv<Shop>({ backend: "memory" });

export function storesAreRegisteredAndFoundWithTheirSchema(stores: StoreRegistry): void {
  stores.register("shop", shop);
  exactly<Kv<Shop>>()(stores.get<Shop>("shop"));
  exactly<Kv>()(stores.get("shop"));
}

export async function readsHaveTheTypeOfTheirKey(kv: Kv<Shop>, id: string): Promise<void> {
  exactly<number>()(await kv.get("counter"));
  exactly<User>()(await kv.get("user:1"));
  exactly<User | undefined>()(await kv.find(`user:${id}`));
  exactly<boolean | null>()(await kv.fetchRemove("flag:new"));
  exactly<Claim<User, "user:1"> | null>()(await kv.claimKey("user:1"));
  exactly<AnyValue | undefined>()((await kv.list())[0]?.value);
  exactly<User | undefined>()((await kv.list<User>({ prefix: "user:" }))[0]?.value);
  exactly<KeyOf<Shop> | "">()(await kv.randomKey());
  exactly<KeyOf<Shop>[]>()(await kv.randomKeys({ count: 2 }));
}

export async function readsRefuseWrongKeysAndTypes(kv: Kv<Shop>): Promise<void> {
  // @ts-expect-error The schema has no such key.
  await kv.get("count");
  // @ts-expect-error The schema has no such pattern.
  await kv.find("users:1");
  // @ts-expect-error A key of the schema has the type of the schema.
  await kv.get<string>("counter");
  // @ts-expect-error A user is no number.
  const age: number = await kv.get("user:1");
  // @ts-expect-error The key may be missing.
  (await kv.find("user:1")).name;
  // @ts-expect-error The schema has no such key.
  await kv.exists("nothing");
  // @ts-expect-error The schema has no such key.
  await kv.claimKeys(["counter", "nothing"]);
  void age;
}

export async function writesFitTheirKey(kv: Kv<Shop>): Promise<void> {
  await kv.set("counter", 1);
  await kv.set("user:1", { name: "Ada" }, { ttl: 5 });
  await kv.setMany({ counter: 1, "user:1": { name: "Ada" }, "flag:x": true });
  exactly<{ value: User; loaded: boolean }>()(await kv.getOrSet("user:1", { name: "Ada" }));
  exactly<{ previous: number | null; loaded: boolean }>()(await kv.swap("counter", 2));
  await kv.compareAndSwap("counter", null, 1);
  await kv.compareAndDelete("flag:x", true);
  const result = await kv.compareAndSwapDetailed("counter", 1, 2, {
    includeCurrentOnMismatch: true,
  });
  if (!result.swapped) exactly<number | undefined>()(result.current);
}

export async function writesRefuseWrongKeysAndValues(kv: Kv<Shop>): Promise<void> {
  // @ts-expect-error A counter is a number.
  await kv.set("counter", "1");
  // @ts-expect-error A user has a name.
  await kv.set("user:1", {});
  // @ts-expect-error The schema has no such key.
  await kv.set("counters", 1);
  // @ts-expect-error A flag is a boolean.
  await kv.setMany({ counter: 1, "flag:x": "yes" });
  // @ts-expect-error The schema has no such key.
  await kv.setMany({ counters: 1 });
  // @ts-expect-error A user has a name.
  await kv.getOrSet("user:1", { title: "Ada" });
  // @ts-expect-error A counter is a number.
  await kv.swap("counter", true);
  // @ts-expect-error The expected value is a number too.
  await kv.compareAndSwap("counter", "1", 2);
  // @ts-expect-error The new value is a number.
  await kv.compareAndSwap("counter", 1, "2");
  // @ts-expect-error The expected value is a boolean.
  await kv.compareAndDelete("flag:x", 1);
  // @ts-expect-error The schema has no such key.
  await kv.delete("counters");
  // @ts-expect-error The schema has no such key.
  await kv.incrementBy("counters", 1);
}

export async function arraysHoldTheElementsOfTheirKey(kv: Kv<Shop>): Promise<void> {
  await kv.append("jobs", { id: 1 });
  await kv.prepend("jobs", { id: 2 });
  // @ts-expect-error A job has an id.
  await kv.append("jobs", { name: "x" });
  // @ts-expect-error The key holds the elements, not the array.
  await kv.append("jobs", [{ id: 1 }]);
  // @ts-expect-error The schema has no such key.
  await kv.append("job", { id: 1 });
}

export async function aSchemaForAllKeysAdmitsNoOtherTypes(
  kv: Kv<Record<string, number>>,
): Promise<void> {
  exactly<number>()(await kv.get("anything"));
  exactly<number | undefined>()(await kv.find("anything"));
  // @ts-expect-error Every value is a number.
  await kv.get<User>("anything");
  // @ts-expect-error Every value is a number.
  await kv.set("anything", "text");
}

export function handlesOfDifferentSchemasDiffer(kv: Kv<Shop>): void {
  // @ts-expect-error A shop is no other store.
  const other: Kv<{ counter: string }> = kv;
  void other;
}
