// Replies that are lost between a client and the door: with `retryWrites` writes are sent again, and
// carried out once.

import { type Kv, openKv } from "anykv";
import { serve } from "anykv/server";
import { expect, test } from "vitest";
import { TcpProxy } from "../../remote/tcp-proxy.js";

let stores = 0;

async function withProxy(
  retryWrites: boolean,
  body: (kv: Kv, own: Kv, proxy: TcpProxy) => Promise<void>,
): Promise<void> {
  const own = openKv({ backend: "memory", name: `lost ${++stores}` });
  const storeName = `served ${stores}`;
  const server = await serve(own, { resp: { port: 0 }, storeName });
  const proxy = await TcpProxy.to(server.address.resp?.port as number);
  const url = `redis://127.0.0.1:${proxy.port}`;
  const kv = openKv({ backend: "valkey", name: storeName, valkey: { url, retryWrites } });
  try {
    await body(kv, own, proxy);
  } finally {
    await kv.close();
    await proxy.close();
    await server.close();
    await own.close();
  }
}

test("a write is sent again when its reply is lost, and carried out once", () =>
  withProxy(true, async (kv, own, proxy) => {
    await kv.set("counter", 1);
    for (const [text, write] of [
      ["increment", () => kv.incrementBy("counter", 5)],
      ["push", () => kv.append("queue", "element")],
      ["claim_random", () => kv.claimRandom({ prefix: "counter" })],
    ] as const) {
      const before = proxy.connections;
      proxy.cutBehind(text);
      await write();
      expect(proxy.connections).toBeGreaterThan(before);
    }
    expect(await own.get("counter")).toBe(6);
    expect(await own.range("queue")).toStrictEqual(["element"]);
    expect((await own.stats()).claims.live).toBe(1);
  }));

test("a copy that comes late finds its call settled", () =>
  withProxy(true, async (kv, own, proxy) => {
    await kv.set("counter", 1);
    // The client sends it again by another connection.
    proxy.withhold("increment");
    expect(await kv.incrementBy("counter", 5)).toBe(6);
    // It is the answer of the copy that was carried out.
    expect(await proxy.deliver()).toBe("$1\r\n6\r\n");
    expect(await own.get("counter")).toBe(6);
    proxy.withhold("increment");
    expect(await kv.incrementBy("counter", 1)).toBe(7);
    for (let call = 0; call < 2_000; call++) await kv.incrementBy("counter", 1);
    expect(await proxy.deliver()).toMatch(/^-ANYKV_SUPERSEDED \d+\r\n$/);
    expect(await own.get("counter")).toBe(2_007);
  }));

test("without it the outcome of a write whose reply is lost is not known", () =>
  withProxy(false, async (kv, own, proxy) => {
    await kv.set("counter", 1);
    proxy.cutBehind("increment");
    await expect(kv.incrementBy("counter", 5)).rejects.toMatchObject({
      name: "OutcomeUnknownError",
    });
    expect(await kv.get("counter")).toBe(await own.get("counter"));
  }));
