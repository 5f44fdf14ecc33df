// Lifecycle of waits: what becomes of those who wait for an element when handles close.

import { StoreClosedError } from "../base/errors.js";
import { type Runner, type StoreFactory, withStore } from "./runner.js";
import { virtualEnv } from "./virtual-env.js";

export function waitSuite({ describe, test, expect }: Runner, factory: StoreFactory): void {
  describe("waiting pops at close", () => {
    for (const method of ["popWait", "popFirstWait"] as const) {
      test(`${method} rejects`, () =>
        withStore(factory, { env: virtualEnv() }, async (kv) => {
          const waits = [kv[method]("array"), kv[method]("array", { timeout: 1000 })];
          const closed = kv.close();
          for (const wait of waits) {
            await expect(wait).rejects.toBeInstanceOf(StoreClosedError);
            await expect(wait).rejects.toThrow("kv store handle is closed");
          }
          await closed;
        }));

      test(`${method} rejects when it has waited for a while`, () => {
        const env = virtualEnv();
        return withStore(factory, { env }, async (kv) => {
          const wait = kv[method]("array");
          await env.idle();
          await kv.close();
          await expect(wait).rejects.toBeInstanceOf(StoreClosedError);
        });
      });

      test(`${method} of another handle goes on`, () => {
        const env = virtualEnv();
        return withStore(factory, { env }, async (kv, store) => {
          const other = store.second();
          const wait = other[method]("array");
          const lost = kv[method]("array");
          await env.idle();
          await kv.close();
          await expect(lost).rejects.toBeInstanceOf(StoreClosedError);
          await other.append("array", "element");
          expect(await wait).toBe("element");
        });
      });
    }

    test("an element goes to those who are still there", () => {
      const env = virtualEnv();
      return withStore(factory, { env }, async (kv, store) => {
        const other = store.second();
        const lost = kv.popFirstWait("array");
        const kept = other.popFirstWait("array");
        await env.idle();
        await kv.close();
        await other.append("array", "element");
        expect(await kept).toBe("element");
        await expect(lost).rejects.toBeInstanceOf(StoreClosedError);
      });
    });
  });
}
