// A store on the server that VALKEY_URL names, or else on one of our own: what its users do first.
// Whatever else lies on that server is left alone.

import { openKv } from "anykv";
import { expect, test } from "vitest";
import { describeWith, givenUrl, lackOfAny, startServer } from "./servers.js";

const url = givenUrl();

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
    await server?.stop();
  });
});
