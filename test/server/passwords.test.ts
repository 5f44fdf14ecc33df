// Passwords and tokens: how long a comparison takes tells nothing of what is right. Each guess is
// compared as a digest with every secret that it may be, in constant time, whatever is wrong with it.

import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { beforeEach, expect, test, vi } from "vitest";

const compared: [number, number][] = [];
vi.mock("node:crypto", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:crypto")>();
  const timingSafeEqual = (a: Uint8Array, b: Uint8Array): boolean => {
    compared.push([a.length, b.length]);
    return original.timingSafeEqual(a, b);
  };
  return { ...original, timingSafeEqual };
});

const { Admission } = await import("../../src/server/http/admission.js");
const { httpSettings } = await import("../../src/server/http/http-options.js");
const { Users } = await import("../../src/server/resp/users.js");

const digestBytes = 32;
const once = [[digestBytes, digestBytes]];
beforeEach(() => {
  compared.length = 0;
});

const users = new Users([
  { name: "default", password: "secret", readOnly: false },
  { name: "reader", password: "a longer one, é", readOnly: true },
]);
const guesses: readonly [name: string | Uint8Array, password: string | Uint8Array, string?][] = [
  ["default", "secret", "default"],
  ["reader", Buffer.from("a longer one, é"), "reader"],
  ["default", "secres"],
  ["default", ""],
  ["default", "s"],
  ["default", "x".repeat(100_000)],
  ["default", new Uint8Array([0xff])],
  ["reader", "secret"],
  ["nobody", "secret"],
  ["", ""],
  [new Uint8Array([0xff]), "secret"],
];

test.each(guesses)("user %j with %#. password", (name, password, who) => {
  expect(users.find(name, password)?.name).toBe(who);
  expect(compared).toEqual(once);
});

test.each(["second-token-4567", "second-token-4568", "s", "", "x".repeat(5_000), "a b"])(
  "token %#",
  (token) => {
    const tokens = ["first-token-0123", { token: "second-token-4567", readOnly: true }];
    const admission = new Admission(httpSettings({ tokens }));
    const headers = { authorization: `Bearer ${token}` };
    const ask = () => admission.grantOf({ headers } as IncomingMessage);
    if (token === "second-token-4567") expect(ask()).toEqual({ mayWrite: false });
    else expect(ask).toThrow("the token is not known");
    // With both, also where the first or the last one is right.
    expect(compared).toEqual([...once, ...once]);
  },
);
