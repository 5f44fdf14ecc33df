// Lifecycle of waits: what becomes of those who wait for an element when handles close.

import { StoreClosedError } from "../base/errors.js";
import { type Runner, type StoreFactory, withStore } from "./runner.js";
import { virtualEnv } from "./virtual-env.js";

export function waitSuite({ describe, test, expect }: Runner, factory: StoreFactory): void {
  const expectClosed = async (wait: Promise<unknown>): Promise<void> => {
    await expect(wait).rejects.toBeInstanceOf(StoreClosedError);
    await expect(wait).rejects.toThrow("kv store handle is closed");
  };

  describe("waiting pops at close", () => {
    for (const method of ["popWait", "popFirstWait"] as const) {
      test(`${method} rejects`, () =>
        withStore(factory, { env: virtualEnv() }, async (kv) => {
          const waits = [kv[method]("array"), kv[method]("array", { timeout: 1000 })];
          const rejections = waits.map((wait) => expectClosed(wait));
          const closed = kv.close();
          await Promise.all(rejections);
          await closed;
        }));

      test(`${method} rejects when it has waited for a while`, () => {
        const env = virtualEnv();
        return withStore(factory, { env }, async (kv) => {
          const rejection = expectClosed(kv[method]("array"));
          await env.idle();
          await kv.close();
          await rejection;
        });
      });

      test(`${method} of another handle goes on`, () => {
        const env = virtualEnv();
        return withStore(factory, { env }, async (kv, store) => {
          const other = store.second();
          const wait = other[method]("array");
          const rejection = expectClosed(kv[method]("array"));
          await env.idle();
          await kv.close();
          await rejection;
          await other.append("array", "element");
          expect(await wait).toBe("element");
        });
      });
    }

    test("an element goes to those who are still there", () => {
      const env = virtualEnv();
      return withStore(factory, { env }, async (kv, store) => {
        const other = store.second();
        const rejection = expectClosed(kv.popFirstWait("array"));
        const kept = other.popFirstWait("array");
        await env.idle();
        await kv.close();
        await other.append("array", "element");
        expect(await kept).toBe("element");
        await rejection;
      });
    });
  });
}
