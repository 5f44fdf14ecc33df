// Calls that may come again.

import { expect, test } from "vitest";
import { servedMemory, type Word } from "./served.js";

function begun(options: Parameters<typeof servedMemory>[0] = {}) {
  const served = servedMemory(options);
  const once = (sequence: number, ...words: Word[]) =>
    served.call("once", "client", sequence, ...words);
  return { ...served, once };
}

test("a call that comes again is answered as before, and not carried out", async () => {
  const { call, once } = begun();
  expect(await call("once_begin", "client")).toBe(1);
  expect(await once(1, "increment", "a", 5)).toBe("5");
  expect(await once(1, "increment", "a", 5)).toBe("5");
  expect(await once(2, "increment", "a", 5)).toBe("10");
  expect(await once(3, "get_many", "a", "none")).toStrictEqual(["j10", ""]);
  expect(await once(3, "get_many", "a", "none")).toStrictEqual(["j10", ""]);
  expect(await call("once_free", "client", 4, "delete", "a")).toBe(1);
  expect(await call("once_free", "client", 4, "delete", "a")).toBe(1);
});

test("a copy that comes when its slot has another call is refused", async () => {
  const { call, once } = begun();
  await call("once_begin", "client");
  await once(1, "increment", "a", 1);
  expect(await once(1 + 1_024, "increment", "a", 1)).toBe("2");
  await expect(once(1, "increment", "a", 1)).rejects.toThrow("ANYKV_SUPERSEDED 1025");
  expect(await once(1 + 1_024, "increment", "a", 1)).toBe("2");
  expect(await call("get", "a")).toBe("j2");
});

test("a refusal stands for copies as well", async () => {
  const { call, once } = begun();
  await call("once_begin", "client");
  await call("set", "a", "j1");
  await expect(once(1, "push", "a", "last", "j1")).rejects.toThrow("ANYKV_WRONG_TYPE value 61");
  await call("delete", "a");
  await expect(once(1, "push", "a", "last", "j1")).rejects.toThrow("ANYKV_WRONG_TYPE value 61");
  expect(await once(2, "push", "a", "last", "j1")).toBe(1);
});

test("a copy of a call whose reply the client has let be forgotten is refused", async () => {
  const { call, once } = begun({ onceBytesMax: 10_000 });
  await call("once_begin", "client");
  await call("set", "b", `j"${"x".repeat(4_000)}"`);
  await once(1, "get", "b");
  await once(2, "increment", "a", 1);
  await once(3 + 1_024, "increment", "a", 1);
  expect(await call("once_forget", "client", 1, 2, 3, 4)).toBe(1);
  for (const sequence of [1, 2]) {
    await expect(once(sequence, "increment", "a", 1)).rejects.toThrow(
      `ANYKV_SUPERSEDED ${sequence}`,
    );
  }
  // Another call has its slot.
  expect(await once(3 + 1_024, "increment", "a", 1)).toBe("2");
  expect(await once(1 + 1_024, "increment", "a", 1)).toBe("3");
  expect(await call("once_forget", "unknown", 1)).toBe(1);
  // Room has been made: the other one is not pushed out.
  await call("once_begin", "other");
  await call("once", "other", 1, "get", "b");
  expect(await once(1 + 1_024, "increment", "a", 1)).toBe("3");
});

test("nothing is carried out for a client that has not begun, or has ended", async () => {
  const { call, once } = begun();
  await expect(once(1, "increment", "a", 1)).rejects.toThrow("ANYKV_NOT_BEGUN");
  await call("once_begin", "client");
  await once(1, "increment", "a", 1);
  expect(await call("once_end", "client")).toBe(1);
  expect(await call("once_end", "client")).toBe(0);
  await expect(once(1, "increment", "a", 1)).rejects.toThrow("ANYKV_NOT_BEGUN");
  expect(await call("get", "a")).toBe("j1");
});

test("only what makes room passes where no memory may be left, and nothing unknown", async () => {
  const { call, once } = begun();
  await call("once_begin", "client");
  await expect(call("once_free", "client", 1, "set", "a", "j1")).rejects.toThrow(
    "ANYKV_UNKNOWN_OPERATION set",
  );
  await expect(once(2, "none")).rejects.toThrow("ANYKV_UNKNOWN_OPERATION none");
  await expect(once(3, "once", "client", 4, "get", "a")).rejects.toThrow(
    "ANYKV_UNKNOWN_OPERATION once",
  );
});

test("a client is forgotten an hour after its last call", async () => {
  const { call, once, env } = begun();
  await call("once_begin", "client");
  await env.advance(3_599_999);
  await once(1, "increment", "a", 1);
  await env.advance(3_599_999);
  expect(await once(1, "increment", "a", 1)).toBe("1");
  await env.advance(1);
  await expect(once(1, "increment", "a", 1)).rejects.toThrow("ANYKV_NOT_BEGUN");
});

test("memory is bounded: whoever has been silent longest is forgotten", async () => {
  const { call, once } = begun({ onceBytesMax: 100_000 });
  const large = `j"${"x".repeat(1_000)}"`;
  await call("set", "a", large);
  await call("once_begin", "client");
  await once(1, "get", "a");
  for (let client = 0; client < 200; client++) {
    await call("once_begin", `other ${client}`);
    await call("once", `other ${client}`, 1, "get", "a");
  }
  await expect(once(1, "get", "a")).rejects.toThrow("ANYKV_NOT_BEGUN");
  expect(await call("once", "other 199", 1, "get", "a")).toBe(large);
  // One client alone keeps all of its slots.
  for (let sequence = 2; sequence < 1_000; sequence++) {
    await call("once", "other 199", sequence, "get", "a");
  }
  expect(await call("once", "other 199", 2, "increment", "b", 1)).toBe(large);
});

test("a copy that comes while the call is under way waits for the same answer", async () => {
  const { call, store, once } = begun();
  await call("once_begin", "client");
  for (let item = 0; item < 2_500; item++) {
    await store.addMember({ bucket: "bucket", item: `${item}` });
  }
  let ended = 0;
  const first = once(1, "clear_members", "bucket").then(() => ended++);
  const second = once(1, "clear_members", "bucket").then(() => ended++);
  expect(await call("count_members", "bucket")).toBeGreaterThan(0);
  expect(ended).toBe(0);
  await Promise.all([first, second]);
  expect(await call("count_members", "bucket")).toBe(0);
  expect(ended).toBe(2);
});
