// Functions: calls of a remote store as HTTP. What answers them is handed in.

import { expect, test } from "vitest";
import { LibraryError } from "../../../src/remote/connection.js";
import { operations } from "../../../src/remote/operation-table.js";
import type {
  AskedFunction,
  FunctionAnswer,
  ServedFunctions,
} from "../../../src/server/http/function-calls.js";
import { openDoor, post } from "./doors.js";

const tag = "anykv:{jobs:0}";

const known = new Set<string>(["version", ...operations.map(([name]) => name)]);

/** Functions with the names of the library. */
function served(call: ServedFunctions["call"]): { functions: ServedFunctions } {
  return { functions: { natureOf: (name) => (known.has(name) ? "write" : "unknown"), call } };
}

test("the call arrives as it was sent, and the reply comes back as it is", async () => {
  const calls: AskedFunction[] = [];
  const replies = [
    ["text", Buffer.from('j"é"')],
    ["bytes", Buffer.from([0x62, 0xff])],
    ["empty", Buffer.from("")],
    ["list", [1, "k", [null, Buffer.from("-2")]]],
  ] as const;
  let next = 0;
  const answer = (call: AskedFunction): FunctionAnswer => {
    calls.push(call);
    return (replies[next++] ?? replies[0])[1];
  };
  const { client } = await openDoor({}, served(answer));
  const args = ["key", 5, { base64: "Yv8=" }];
  const bodies = [];
  for (const _ of replies) bodies.push((await post(client, "fcall/get", { tag, args })).body);
  expect(bodies).toStrictEqual([
    { reply: 'j"é"' },
    { reply: { base64: "Yv8=" } },
    { reply: "" },
    { reply: [1, "k", [null, "-2"]] },
  ]);
  expect(calls[0]).toStrictEqual({
    operation: "get",
    tag,
    args: ["key", "5", Buffer.from([0x62, 0xff])],
  });
});

test("an error reply is an answer, anything else an error", async () => {
  let thrown: Error = new LibraryError("ANYKV_WRONG_TYPE array 6b");
  const { client } = await openDoor(
    {},
    served(() => Promise.reject(thrown)),
  );
  expect(await post(client, "fcall/get", { tag, args: ["k"] })).toStrictEqual({
    status: 200,
    body: { refusal: "ANYKV_WRONG_TYPE array 6b" },
  });
  thrown = new Error("broken");
  expect((await post(client, "fcall/get", { tag, args: ["k"] })).status).toBe(500);
});

test("every operation of the library has a path, and no other", async () => {
  const { client } = await openDoor(
    {},
    served(({ operation }) => operation),
  );
  for (const operation of ["version", ...operations.map(([name]) => name)]) {
    const { body } = await post(client, `fcall/${operation}`, { tag });
    expect(body).toStrictEqual({ reply: operation });
  }
  for (const operation of ["none", "GET", "__proto__", "get/", "get%20", "anykv_get"]) {
    expect((await post(client, `fcall/${operation}`, { tag })).status).toBe(404);
  }
});

test("bad bodies are refused, and servers without functions say so", async () => {
  const { client } = await openDoor(
    {},
    served(() => 1),
  );
  for (const body of [
    {},
    { tag: "" },
    { tag, args: {} },
    { tag, args: [null] },
    { tag, args: [{}] },
    { tag, x: 1 },
    { tag, args: [[]] },
    { tag, args: [{ base64: "a2tr", other: 1 }] },
    { tag, args: [{ base64: "@@@@a2tr" }] },
    { tag, args: [{ base64: "a2t" }] },
    { tag, args: [{ base64: "_-8=" }] },
    { tag, args: [{ base64: 1 }] },
  ]) {
    expect([body, (await post(client, "fcall/get", body)).status]).toStrictEqual([body, 400]);
  }
  const without = await openDoor();
  expect((await post(without.client, "fcall/get", { tag })).status).toBe(501);
});
