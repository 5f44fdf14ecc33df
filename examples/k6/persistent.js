// What one run has left, the next one finds: the server keeps it.

import { openKv } from "./k6.js";

const kv = openKv({ backend: "disk", path: "./shared.kv" });

export default async function () {
  const { value, loaded } = await kv.getOrSet("first-run", { at: "the beginning" });
  console.log(
    `${loaded ? "found" : "left"} ${JSON.stringify(value)}, run ${await kv.incrementBy("runs", 1)}`,
  );
}
