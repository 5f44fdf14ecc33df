// Many keys at once: one call to the server for each batch.

import { openKv } from "./k6.js";

const kv = openKv();

export default async function () {
  await kv.deleteByPrefix({ prefix: "batch:", limit: 1000 });
  console.log(`written ${(await kv.setMany({ "batch:1": "a", "batch:2": null })).written}`);

  for (const item of await kv.getMany(["batch:1", "batch:missing", "batch:2"])) {
    console.log(`${item.key} ${item.exists} ${JSON.stringify(item.value)}`);
  }

  // Nothing is written when one of the entries cannot be.
  try {
    await kv.setMany({ "batch:ok": 1, "batch:bad": () => {} });
  } catch (error) {
    if (error.name !== "InvalidOptionsError") throw error;
    for (const { key, name } of error.errors) console.log(`${key} ${name}`);
  }

  // Page by page; a page begins behind the last key of the one before.
  let cursor = "";
  do {
    const page = await kv.scanKeys({ prefix: "batch:", cursor, limit: 1 });
    console.log(`page ${page.keys.join()}`);
    cursor = page.cursor;
  } while (cursor !== "");

  const { deleted, missing } = await kv.deleteMany(["batch:1", "batch:missing", "batch:2"]);
  console.log(`deleted ${deleted}, missing ${missing}`);
}
