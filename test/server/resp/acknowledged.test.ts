// No write is acknowledged before the disk has it: what a failing disk did not take was never "OK".

import { openKv } from "anykv";
import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { openDoor } from "./door-bench.js";

test("a disk that fails is told to whoever writes, at every file call", async () => {
  let isAtEnd = false;
  let refused = 0;
  for (let call = 0; !isAtEnd; call++) {
    const files = new SimulatedFiles();
    const env = virtualEnv({ files });
    const store = { backend: "wal", path: "/store", env, wal: { syncWrites: true } } as const;
    const bench = await openDoor({}, store);
    const { kv } = bench;
    await kv.set("before", 1);
    const begun = files.calls.length;
    files.failAt(begun + call, "EIO", true);
    const client = bench.client();
    client.sends("SET a 1\r\nINCR a\r\nGET a\r\nMULTI\r\nSET b 1\r\nEXEC\r\n");
    await env.idle();
    for (let interval = 0; interval < 3; interval++) await env.advance(1_000);
    const text = client.take();
    isAtEnd = files.calls.length <= begun + call;
    const acknowledged = {
      a: text.startsWith("+OK\r\n:2\r\n") ? "2" : text.startsWith("+OK\r\n") ? "1" : undefined,
      b: text.endsWith("*1\r\n+OK\r\n") ? "1" : undefined,
    };
    if (isAtEnd) expect(acknowledged).toEqual({ a: "2", b: "1" });
    if (text.includes("-ERR ")) refused++;
    client.destroy();
    const closing = kv.close().catch(() => {});
    for (let interval = 0; interval < 3; interval++) await env.advance(1_000);
    await closing;
    // Another process opens what the disk has.
    files.heal();
    const again = openKv({ ...store, name: `again ${call}`, env: virtualEnv({ files }) });
    if (acknowledged.a !== undefined) {
      expect(Number(await again.get("a")), `call ${call}`).toBeGreaterThanOrEqual(
        Number(acknowledged.a),
      );
    }
    if (acknowledged.b !== undefined) expect(await again.get("b")).toBe("1");
    await again.close();
  }
  expect(refused).toBeGreaterThan(2);
});
