// A store on the server that VALKEY_URL names, or else on one of our own: what its users do first.
// The server of VALKEY_URL, which has no cluster, goes through every documented behaviour as well.
// Whatever else lies on it is left alone.

import { openKv } from "anykv";
import { expect, test } from "vitest";
import { plainClient } from "./plain-connection.js";
import { describeWith, givenUrl, lackOfAny, startServer } from "./servers.js";
import { usualSuite } from "./usual-suite.js";
import { useGivenServer, valkeyFactory } from "./valkey-factory.js";

const url = givenUrl();
/** The suite looks through all keys of the database after each test. */
const foreignKeysMax = 1_000;

async function foreignKeys(place: string): Promise<number> {
  const client = await plainClient(place, "server");
  const count = await client.dbsize();
  client.disconnect();
  return count;
}

if (url !== undefined) {
  const count = await foreignKeys(url);
  const lack =
    count > foreignKeysMax
      ? `its database has ${count} keys, and the suite looks through all of them; name an empty one`
      : undefined;
  describeWith("the server of VALKEY_URL", lack, () => {
    useGivenServer(url);
    let stores = 0;
    const storeName = (): string => `test ${process.pid} ${Date.now()} ${++stores}`;
    usualSuite(valkeyFactory({ kind: "valkey", partitions: 1, storeName }), {});
  });
}

describeWith("a store by its URL", url === undefined ? lackOfAny() : undefined, () => {
  test("keeps values, counters, arrays and claims", async () => {
    const server = url === undefined ? await startServer() : undefined;
    const name = `test ${process.pid} ${Date.now()}`;
    const open = () => openKv({ backend: "valkey", name, valkey: { url: url ?? server?.url } });
    const [kv, other] = [open(), open()];
    await kv.set("key", { deep: [1, "ö"] });
    expect(await other.get("key")).toEqual({ deep: [1, "ö"] });
    expect(await other.incrementBy("counter", 2)).toBe(2);
    await kv.append("queue", "job");
    expect(await other.popFirst("queue")).toBe("job");
    const claim = await kv.claimKey("key", { ttl: 10_000 });
    expect(claim?.entry.value).toEqual({ deep: [1, "ö"] });
    expect(await other.claimKey("key")).toBeNull();
    expect(claim && (await kv.completeClaim(claim, { deleteKey: true }))).toBe(true);
    expect(await kv.listKeys()).toEqual(["counter"]);
    await kv.clear();
    await Promise.all([kv.close(), other.close()]);
    const client = await plainClient(`${url ?? server?.url}`, "server");
    // What is left of a store that is empty: its numbers.
    expect(await client.unlink(`anykv:{${name}:0}:n`)).toBe(1);
    client.disconnect();
    await server?.stop();
  });
});
