// What Simple KV is used for: configuration, sessions, a cache of computed values. The stores are
// named in a YAML file and kept in files, so what is in them is there after a restart.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openConfiguredStores, type StoreRegistry } from "anykv";

const directory = await mkdtemp(join(tmpdir(), "anykv-simple-kv-"));
const file = join(directory, "kv.yml");
await writeFile(
  file,
  `
anykv:
  stores:
    sessions: { backend: wal, path: ${join(directory, "sessions")} }
    cache: { backend: wal, path: ${join(directory, "cache")}, wal: { flushInterval: 5s } }
simple_kv:
  path: ${join(directory, "simple_kv")}
  sync_writes: true # Configuration is written rarely and must not get lost.
`,
);

interface Session {
  user: string;
}

// Configuration: bytes under a key. What these bytes mean is the application's affair.
async function saveConfiguration(kv: Kv, configuration: object): Promise<void> {
  await kv.set("app_config", Buffer.from(JSON.stringify(configuration)));
}

async function loadConfiguration(kv: Kv): Promise<unknown> {
  const bytes = await kv.find<Uint8Array>("app_config");
  return bytes === undefined ? {} : JSON.parse(Buffer.from(bytes).toString());
}

// Sessions: a value for who wants to know more, a membership for who only asks whether one is
// signed in. Both end at the same time, by themselves.
async function signIn(stores: StoreRegistry, id: string, session: Session): Promise<void> {
  const ttl = 30 * 60_000;
  await stores.get("sessions").set(`session:${id}`, session, { ttl });
  await stores.filter("signed in", "sessions").add(id, { ttl });
}

async function signOut(stores: StoreRegistry, id: string): Promise<void> {
  await stores.get("sessions").delete(`session:${id}`);
  await stores.filter("signed in", "sessions").delete(id);
}

// A cache: what is not there is computed. Of several that compute at once, all get the first result.
async function cached<Value>(kv: Kv, key: string, compute: () => Promise<Value>): Promise<Value> {
  const found = await kv.find<Value>(key);
  if (found !== undefined) return found;
  const value = await compute();
  return (await kv.getOrSet(key, value, { ttl: 60_000, compress: true })).value as Value;
}

let computed = 0;
async function sumOfSquares(count: number): Promise<number> {
  computed++;
  return Array.from({ length: count }, (_, index) => index ** 2).reduce((a, b) => a + b, 0);
}

{
  // All stores are open when this resolves; if one could not be opened, none is.
  await using stores = await openConfiguredStores(file);
  console.log("stores:", stores.names().join(", "));
  await saveConfiguration(stores.get("simple_kv"), { theme: "dark", retries: 3 });
  await signIn(stores, "4711", { user: "alice" });
  await signIn(stores, "4712", { user: "bob" });
  await signOut(stores, "4712");
  console.log("sum:", await cached(stores.get("cache"), "sum:1000", () => sumOfSquares(1_000)));
  console.log("sum:", await cached(stores.get("cache"), "sum:1000", () => sumOfSquares(1_000)));
}

{
  // The program starts again.
  await using stores = await openConfiguredStores(file);
  console.log("configuration:", await loadConfiguration(stores.get("simple_kv")));
  console.log("session:", await stores.get("sessions").find<Session>("session:4711"));
  const signedIn = stores.filter("signed in", "sessions");
  console.log("signed in:", await signedIn.contains("4711"), await signedIn.contains("4712"));
  console.log("sum:", await cached(stores.get("cache"), "sum:1000", () => sumOfSquares(1_000)));
  console.log("computed:", computed);
  const { disk } = await stores.get("simple_kv").stats();
  console.log("records replayed:", disk?.log?.recovered.records);
  console.log("files:", (await readdir(join(directory, "simple_kv"))).join(", "));
}

await rm(directory, { recursive: true });
