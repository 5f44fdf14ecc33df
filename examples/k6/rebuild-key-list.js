// The seeds' repair of the key index. The server keeps its index with the data, so it is always right.

import { openKv } from "./k6.js";

const kv = openKv({ backend: "disk", trackKeys: true });

export default async function () {
  await kv.set("user:1", { name: "Alice" });
  console.log(`rebuilt = ${await kv.rebuildKeyList()}`);
  const key = await kv.randomKey();
  if (key) console.log(`random = ${key}`);
  console.log(`consistent = ${(await kv.stats()).index.consistent}`);
}
