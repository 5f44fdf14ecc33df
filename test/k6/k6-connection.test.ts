// The connection of k6 over a transport that loses its partitions: the store is made again, and nobody
// waits for the promise of another call.

import { expect, test, vi } from "vitest";
import { K6Connection } from "../../src/k6/k6-connection.js";
import { K6Store } from "../../src/k6/k6-store.js";
import { replyError, type Transport } from "../../src/k6/transport.js";
import type { Reply } from "../../src/remote/connection.js";

vi.mock("k6/execution", () => ({ default: {} }));

const options = { serialization: "json", trackKeys: false } as ConstructorParameters<
  typeof K6Store
>[1];

/** Answers for partitions that are there once they have been opened. */
class FakeServer implements Transport {
  readonly at = "fake";
  readonly called: string[] = [];
  /** Calls of "open" that get no answer. */
  unanswered = 0;
  #opened = new Set<string>();

  lose(): void {
    this.#opened.clear();
  }

  async call(operation: string, tag: string): Promise<Reply> {
    this.called.push(operation);
    if (operation === "inspect") return this.#opened.has(tag) ? ["1", "1"] : ["", ""];
    if (operation === "open") {
      if (this.unanswered-- > 0) return new Promise(() => {});
      this.#opened.add(tag);
      return 1;
    }
    if (operation === "exists") return 0;
    if (!this.#opened.has(tag)) throw replyError("ANYKV_NOT_OPEN the store was lost");
    return 1;
  }

  run(): Promise<object> {
    throw new Error("there are no files");
  }
}

function storeOn(server: Transport, readOnly = false): K6Store {
  const names = { prefix: "anykv", store: undefined, partitions: 1, readOnly };
  return new K6Store(new K6Connection(server, names), options);
}

const request = { key: "a", value: "1", options: undefined };

test("opens with the first call, and once", async () => {
  const server = new FakeServer();
  const store = storeOn(server);
  expect(server.called).toEqual([]);
  await store.set(request);
  await store.set(request);
  expect(server.called).toEqual(["inspect", "open", "set", "set"]);
});

test("looks before it opens a store that is there", async () => {
  const server = new FakeServer();
  await storeOn(server).set(request);
  server.called.length = 0;
  await storeOn(server).set(request);
  expect(server.called).toEqual(["inspect", "set"]);
});

test("makes nothing where it may only read", async () => {
  const server = new FakeServer();
  const store = storeOn(server, true);
  expect(await store.exists("a")).toBe(false);
  expect(server.called).toEqual(["inspect", "exists"]);
  await expect(store.set(request)).rejects.toThrow("read-only");
});

test("calls do not wait for another one whose opening gets no answer", async () => {
  const server = new FakeServer();
  const store = storeOn(server);
  server.unanswered = 1;
  void store.set(request);
  await store.set(request);
  expect(server.called.filter((operation) => operation === "open")).toHaveLength(2);
});

test("nor when the partitions have been lost meanwhile", async () => {
  const server = new FakeServer();
  const store = storeOn(server);
  await store.set(request);
  server.lose();
  server.unanswered = 1;
  void store.set(request);
  await store.set(request);
  expect(server.called.filter((operation) => operation === "open")).toHaveLength(3);
});

test("a store that is lost again and again is an error, and no endless loop", async () => {
  const server = new FakeServer();
  const store = storeOn(server);
  await store.set(request);
  server.lose();
  const lost = vi.spyOn(server, "call").mockImplementation(async (operation) => {
    if (operation === "inspect") return ["1", "1"];
    throw replyError("ANYKV_NOT_OPEN the store was lost");
  });
  await expect(store.set(request)).rejects.toMatchObject({ name: "UnexpectedStoreOutputError" });
  expect(lost).toHaveBeenCalledTimes(3);
});
