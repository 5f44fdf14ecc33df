// A strict TypeScript program that uses the installed package, its declarations checked too. It is
// compiled and then run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { KeyNotFoundError, openKv } from "anykv";
import type { KV } from "anykv/k6";
import { serve } from "anykv/server";
import * as testing from "anykv/testing";

type Schema = { "user:1": { name: string } };

const kv = openKv<Schema>({ backend: "memory", name: "strict" });
await kv.set("user:1", { name: "Ada" });
const user = await kv.get("user:1");
const name: string = user.name;
assert.equal(name, "Ada");
await kv.delete("user:1");
await assert.rejects(kv.get("user:1"), KeyNotFoundError);
const server = await serve(kv, { resp: { port: 0 } });
assert.match(server.address.resp?.url ?? "", /^redis:/);
await server.close();
await kv.close();

/** Never called: what the schema forbids. */
export async function misuse(): Promise<void> {
  // @ts-expect-error A number is no name.
  await kv.set("user:1", { name: 1 });
  // @ts-expect-error A name is no number.
  const age: number = user.name;
  assert.notEqual(age, 0);
}

/** Never called: the types of the module for k6, which only k6 can run. */
export async function inK6(kv: KV): Promise<number> {
  // @ts-expect-error A key is text.
  await kv.get(1);
  return kv.incrementBy("visits", 1);
}
// One file that asks for k6's own modules alone.
const bundle = readFileSync(new URL(import.meta.resolve("anykv/k6")), "utf8");
const asked = [...bundle.matchAll(/^import .* from "(.*)";$/gm)].map(([, name = ""]) => name);
assert.notDeepEqual(asked, []);
assert.deepEqual(
  asked.filter((name) => !name.startsWith("k6/")),
  [],
);

assert.notDeepEqual(Object.keys(testing), []);
console.log(`Strict TypeScript: compiled, on Node ${process.version}`);
