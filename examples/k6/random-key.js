// Uniform choice among the keys of a prefix, one at a time and many at once.

import { openKv } from "./k6.js";

const kv = openKv({ backend: "disk", trackKeys: true });

export default async function () {
  await kv.setMany({
    "user:1": { name: "Oleg" },
    "user:2": { name: "Alina" },
    "user:3": { name: "Anna" },
    "order:1": { id: 1 },
  });

  const key = await kv.randomKey({ prefix: "user:" });
  if (key) console.log(`Random user ${key}: ${JSON.stringify(await kv.get(key))}`);

  const keys = await kv.randomKeys({ prefix: "user:", count: 2, unique: true });
  for (const { key, value } of await kv.getMany(keys))
    console.log(`One of two: ${key} ${value.name}`);

  // "" when nothing matches: no error to catch.
  console.log(`No such key: "${await kv.randomKey({ prefix: "nobody:" })}"`);
}
