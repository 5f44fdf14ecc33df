// Errors as callers and loggers see them.

import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  InvalidOptionsError,
  isKvError,
  KeyNotFoundError,
  KvError,
  SerializerError,
  StoreClosedError,
} from "../../src/base/errors.js";

describe("an error", () => {
  test("is an Error of its class and of no other", () => {
    const error = new KeyNotFoundError("no such key");
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(KvError);
    expect(error).toBeInstanceOf(KeyNotFoundError);
    expect(error).not.toBeInstanceOf(SerializerError);
    expect(Object.prototype.toString.call(error)).toBe("[object Error]");
    expect(String(error)).toBe("KeyNotFoundError: no such key");
  });

  test("has its name on the prototype and its code of its own", () => {
    const error = new KeyNotFoundError("no such key");
    expect(Object.hasOwn(error, "name")).toBe(false);
    expect(Object.keys(KeyNotFoundError.prototype)).toEqual([]);
    expect(Object.keys(error)).toEqual(["code"]);
    expect(error.code).toBe("ANYKV_KEY_NOT_FOUND");
  });

  test.each([
    ["no details", undefined, []],
    ["empty details", {}, []],
    ["a key", { key: "a" }, ["key"]],
    ["an empty key", { key: "" }, ["key"]],
    ["a hint", { hint: "do" }, ["hint"]],
    ["entries", { errors: [{ name: "EmptyKey", message: "m", key: "" }] }, ["errors"]],
    ["a cause", { cause: new Error("c") }, ["cause"]],
    ["a cause that is null", { cause: null }, ["cause"]],
    ["an absent cause", { cause: undefined }, []],
    ["all", { key: "a", hint: "h", errors: [], cause: 1 }, ["cause", "errors", "hint", "key"]],
  ])("given %s has only the properties that were given", (_, details, present) => {
    const error = new InvalidOptionsError("m", details);
    const optional = ["cause", "errors", "hint", "key"];
    expect(optional.filter((name) => name in error)).toEqual(present);
    for (const name of present) {
      expect(Reflect.get(error, name)).toBe(Reflect.get(details ?? {}, name));
    }
  });

  test("hides its cause from enumeration as built-in errors do", () => {
    const error = new SerializerError("m", { cause: new Error("c") });
    expect(Object.keys(error)).toEqual(["code"]);
  });

  test("prints name, message, place, properties and cause", () => {
    const cause = new SyntaxError("bad text");
    const text = inspect(new SerializerError("m", { key: "a", cause }));
    expect(text).toMatch(/^SerializerError: m\n {4}at .*errors\.test\.ts/);
    expect(text).toContain("code: 'ANYKV_SERIALIZER'");
    expect(text).toContain("key: 'a'");
    expect(text).toContain("[cause]: SyntaxError: bad text");
  });

  test("becomes readable JSON", () => {
    const inner = new StoreClosedError("closed", { cause: new TypeError("t") });
    const error = new InvalidOptionsError("m", {
      errors: [{ key: "a", name: "EmptyKey", message: "e" }],
      cause: inner,
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: "InvalidOptionsError",
      message: "m",
      code: "ANYKV_INVALID_OPTIONS",
      errors: [{ key: "a", name: "EmptyKey", message: "e" }],
      cause: {
        name: "StoreClosedError",
        message: "closed",
        code: "ANYKV_STORE_CLOSED",
        cause: "TypeError: t",
      },
    });
    expect(JSON.parse(JSON.stringify(new KeyNotFoundError("m", { cause: 1n })))).toEqual({
      name: "KeyNotFoundError",
      message: "m",
      code: "ANYKV_KEY_NOT_FOUND",
    });
  });

  test("narrows by instanceof step by step, because the classes differ in type", () => {
    const nameOf = (error: KvError): string => {
      if (error instanceof KeyNotFoundError) return error.name satisfies "KeyNotFoundError";
      if (error instanceof StoreClosedError) return error.name satisfies "StoreClosedError";
      return error.code;
    };
    expect(nameOf(new StoreClosedError("m"))).toBe("StoreClosedError");
    expect(nameOf(new SerializerError("m"))).toBe("ANYKV_SERIALIZER");
  });
});

describe("isKvError", () => {
  test("knows ours, also of another copy of the package", () => {
    expect(isKvError(new KeyNotFoundError("m"))).toBe(true);
    const copy = runInNewContext(`
      class KvError extends Error {}
      KvError.prototype[Symbol.for("anykv.KvError")] = true;
      new KvError("m");
    `);
    expect(copy).not.toBeInstanceOf(Error);
    expect(isKvError(copy)).toBe(true);
  });

  test.each([
    ["another error", new TypeError("m")],
    ["a look-alike", { name: "KeyNotFoundError", code: "ANYKV_KEY_NOT_FOUND", message: "m" }],
    ["null", null],
    ["undefined", undefined],
    ["text", "KeyNotFoundError"],
    ["the class", KeyNotFoundError],
  ])("does not take %s for one", (_, value) => {
    expect(isKvError(value)).toBe(false);
  });
});
