// An ES module that uses the installed package. fast-check is not installed beside it: the testing
// entry must load without it.

import assert from "node:assert/strict";
import { KeyNotFoundError, openKv } from "anykv";
import manifest from "anykv/package.json" with { type: "json" };
import { serve } from "anykv/server";
import * as testing from "anykv/testing";

const kv = openKv({ backend: "memory", name: "module" });
await kv.set("user:1", { name: "Ada" });
assert.deepEqual(await kv.get("user:1"), { name: "Ada" });
await assert.rejects(kv.get("user:2"), (error) => {
  assert(error instanceof KeyNotFoundError);
  assert.equal(error.name, "KeyNotFoundError");
  return true;
});
const server = await serve(kv, { resp: { port: 0 } });
await server.close();
await kv.close();

assert.equal(manifest.name, "anykv");
assert.notDeepEqual(Object.keys(testing), []);
console.log(`ES module: anykv ${manifest.version} on Node ${process.version}`);
