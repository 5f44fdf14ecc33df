// Upkeep: what `clear` and restores leave is removed in steps, and every step gets on.

import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { Calls } from "../../src/remote/calls.js";
import type { Argument, Connection, Reply } from "../../src/remote/connection.js";
import type { Operation } from "../../src/remote/operation-table.js";
import { RemoteReaper } from "../../src/remote/remote-reaper.js";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { listIn, numberIn } from "../../src/remote/replies.js";
import { PlainConnection, testPrefix } from "./plain-connection.js";
import { type RemotePlace, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, theClient, useServer } from "./valkey-factory.js";

/** The names of what a store has on the server, behind the tag of its only partition. */
async function namesOf({ name }: RemotePlace): Promise<string[]> {
  const tag = `${testPrefix}:{${name}:0}:`;
  return (await theClient().keys(`${tag}*`)).map((key) => key.slice(tag.length)).sort();
}

async function fillArrays(store: RemoteStore, count: number): Promise<void> {
  for (let first = 0; first < count; first += 5_000) {
    const some = Array.from({ length: Math.min(5_000, count - first) }, (_, index) =>
      store.push({ key: `a${first + index}`, value: "1", end: "last" }),
    );
    await Promise.all(some);
  }
}

test("a server that says that more is left and removes nothing is not asked in circles", async () => {
  let asked = 0;
  const connection: Connection = {
    partitions: 1,
    server: { description: "a server without progress", isCluster: false },
    call: async () => [1, -1, asked++, 0],
    hasEnded: false,
    opened: async () => {},
    onReconnect: () => {},
    close: async () => {},
  };
  const env = virtualEnv();
  const reaper = new RemoteReaper(new Calls(connection, env, "json"), 1_000);
  await reaper.run();
  await env.advance(10_000);
  expect(asked).toBeGreaterThan(5);
  expect(asked).toBeLessThan(20);
  await reaper.close();
});

function caller({ name, env }: RemotePlace) {
  const plain = { store: name, partitions: 1, clock: "test", form: "functions" } as const;
  const connection = new PlainConnection(theClient(), env, plain);
  return (operation: Operation, ...args: Argument[]): Promise<Reply> =>
    connection.call({ operation, partition: 0, args, isRead: false });
}

describeWith("the upkeep of a store on a server", lackOfAny(), () => {
  useServer(anyKind());

  test("30,000 arrays are swept after `clear`, and a store is opened meanwhile", () =>
    withPlace(1, async (store, place) => {
      await fillArrays(store, 30_000);
      await store.clear(undefined);
      const other = await place.open();
      expect(await other.listArrays({ prefix: "", limit: 1 })).toStrictEqual([]);
      await place.env.advance(1);
      // The list of what is to be removed is empty, so it is not there.
      expect(await namesOf(place)).toStrictEqual(["clock", "n"]);
    }));

  test("each step of a sweep removes something, and says so", () =>
    withPlace(1, async (store, place) => {
      await fillArrays(store, 450);
      for (let item = 0; item < 250; item++) {
        await store.addMember({ bucket: `b${item}`, item: "i" });
      }
      const call = caller(place);
      await call("clear", "");
      let left = (await namesOf(place)).length;
      for (let steps = 0; ; steps++) {
        expect(steps).toBeLessThan(30);
        const [more, , , removed] = listIn(await call("reap", 500)).map(numberIn);
        const now = (await namesOf(place)).length;
        expect(now).toBeLessThan(left);
        expect(removed).toBeGreaterThan(0);
        left = now;
        if (more === 0) break;
      }
      expect(await namesOf(place)).toStrictEqual(["clock", "n"]);
    }));

  test("what a restore has left that was killed is removed when it has been silent for long", () =>
    withPlace(1, async (store, place) => {
      const call = caller(place);
      const reapAll = async (): Promise<void> => {
        while (numberIn(listIn(await call("reap", 500))[0]) === 1) {}
      };
      await store.set({ key: "old", value: "1" });
      await call("load_begin", "load");
      await call("load_values", "load", "new", "j2", "", "mortal", "j3", 60_000);
      await call("load_arrays", "load", "q", 7, "", "r", 8, "");
      await call("load_elements", "load", 7, 0, "j1", 7, 1, "j2", 8, 0, "j3");
      await call("load_build", "load", 7, 0);
      await call("load_members", "load", "b", "i", "");
      place.env.stall(599_999);
      await reapAll();
      expect((await namesOf(place)).filter((name) => name.startsWith("s:"))).not.toStrictEqual([]);
      place.env.stall(1);
      await reapAll();
      expect(await namesOf(place)).toStrictEqual(["clock", "f", "k", "n", "v"]);
      expect(await store.scanKeys({ prefix: "", after: "", limit: 0 })).toMatchObject({
        keys: ["old"],
      });
      await expect(call("load_commit", "load", 0)).rejects.toThrow("ANYKV_LOAD_LOST");
    }));
});
