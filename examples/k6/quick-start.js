// The first steps: values, prefixes, random keys.
//
//   k6 run -e ANYKV_URL=redis://127.0.0.1:6379 quick-start.js

import { openKv } from "./k6.js";

const kv = openKv();

export async function setup() {
  // Start with a clean state.
  await kv.clear();
}

export default async function () {
  await kv.set("foo", "bar");
  await kv.set("abc", 123);
  await kv.set("easy as", [1, 2, 3]);
  await kv.set("user:1", { name: "Alice" });
  await kv.set("user:2", { name: "Bob" });

  // Any random key, or "" if there is none.
  const any = await kv.randomKey();
  if (any) console.log(`random key = ${any}, value = ${JSON.stringify(await kv.get(any))}`);

  const user = await kv.randomKey({ prefix: "user:" });
  if (user) console.log(`random user key = ${user}`);

  if (!(await kv.exists("a b c"))) await kv.set("a b c", { 123: "baby you and me girl" });
  console.log(`current size of the KV store: ${await kv.size()}`);

  for (const entry of await kv.list({ prefix: "a" })) {
    console.log(`found entry: ${JSON.stringify(entry)}`);
  }
  await kv.delete("foo");
}

export async function teardown() {
  kv.close();
}
