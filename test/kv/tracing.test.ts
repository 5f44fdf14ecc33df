// Tracing: which messages an operation sends, what is in them, and what never is.

import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { type Filter, Kv, type OpenKvOptions, type OperationContext, openKv } from "anykv";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";
import { virtualEnv } from "../../src/testing/virtual-env.js";
import { everyFilterOperation, everyOperation, secret } from "./every-operation.js";

const channel = tracingChannel<OperationContext, OperationContext>("anykv:operation");
const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type Event = (typeof events)[number];

interface Message {
  readonly event: Event;
  /** What was in the context when the message came. */
  readonly content: OperationContext;
  readonly context: OperationContext;
}

let unsubscribe = (): void => {};
afterEach(() => unsubscribe());

/** Records the messages of these channels until the test is over, or another recording starts. */
function record(...wanted: readonly Event[]): Message[] {
  unsubscribe();
  const messages: Message[] = [];
  const subscribed = (wanted.length === 0 ? events : wanted).map((event) => {
    const listener = (message: unknown): void => {
      const context = message as OperationContext;
      messages.push({ event, content: { ...context }, context });
    };
    channel[event].subscribe(listener);
    return () => channel[event].unsubscribe(listener);
  });
  unsubscribe = () => {
    for (const stop of subscribed) stop();
  };
  return messages;
}

let stores = 0;

function open(options: OpenKvOptions = {}): Kv {
  return openKv({ backend: "memory", name: `store-${++stores}`, ...options });
}

function operationsOf(messages: readonly Message[], event: Event = "asyncEnd"): string[] {
  return messages
    .filter((message) => message.event === event)
    .map(({ content }) => content.operation);
}

describe("operation names", () => {
  /** Names of methods, those of the classes above included. */
  function methodsOf(type: { readonly prototype: object }): string[] {
    const methods: string[] = [];
    let prototype = type.prototype;
    for (; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const { value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
        if (typeof value === "function" && name !== "constructor") methods.push(name);
      }
    }
    return methods.sort();
  }

  test("cover every public asynchronous method of Kv, and nothing else", () => {
    const unnamed = ["close", "filter", "metrics", "metricsText", "opened"];
    expect(Object.keys(operationNames).sort()).toEqual(
      methodsOf(Kv).filter((name) => !unnamed.includes(name)),
    );
    type Asynchronous = {
      [Name in keyof Kv]: Kv[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
    }[keyof Kv];
    type Unnamed = "close" | "metrics" | "metricsText" | typeof Symbol.asyncDispose;
    expectTypeOf<Exclude<Asynchronous, Unnamed>>().toEqualTypeOf<keyof typeof operationNames>();
  });

  test("cover every method of a filter", () => {
    const filter = open().filter("bucket");
    const type = filter.constructor as unknown as { prototype: Filter };
    expect(Object.keys(filterOperationNames).sort()).toEqual(methodsOf(type));
  });

  test("are the snake case of the method", () => {
    const snake = (name: string): string => name.replace(/[A-Z]+/g, (c) => `_${c.toLowerCase()}`);
    for (const [method, name] of Object.entries(operationNames)) expect(name).toBe(snake(method));
    for (const [method, name] of Object.entries(filterOperationNames)) {
      expect(name).toBe(`filter_${snake(method)}`);
    }
  });

  test("leave the methods their names and lengths", () => {
    const kv = open();
    const signatures = [kv.compareAndSwap, kv.get].map(({ name, length }) => [name, length]);
    expect(signatures).toEqual([
      ["compareAndSwap", 4],
      ["get", 1],
    ]);
  });
});

describe("messages", () => {
  test("every operation is reported once, as what the caller called", async () => {
    const kv = open();
    const messages = record();
    for (const call of Object.values(everyOperation)) await call(kv);
    for (const call of Object.values(everyFilterOperation)) await call(kv.filter("bucket"));
    const called = [
      ...Object.keys(everyOperation).map((name) => Reflect.get(operationNames, name)),
      ...Object.keys(everyFilterOperation).map((name) => Reflect.get(filterOperationNames, name)),
    ];
    for (const event of ["start", "end", "asyncStart", "asyncEnd"] as const) {
      expect(operationsOf(messages, event)).toEqual(called);
    }
    expect(operationsOf(messages, "error")).toEqual([]);
  });

  test("a success: start, end, then asyncStart and asyncEnd with the outcome", async () => {
    const env = virtualEnv();
    const kv = open({ name: "orders", env });
    const messages = record();
    const popping = kv.popFirstWait("queue");
    const called = { store: "orders", backend: "memory", operation: "pop_first_wait" };
    expect(messages.map(({ event }) => event)).toEqual(["start", "end"]);
    for (const { content } of messages) expect(content).toEqual(called);
    await env.advance(40);
    unsubscribe();
    await kv.append("queue", 7);
    expect(await popping).toBe(7);
    // Nobody listened any more when the operation settled.
    expect(messages).toHaveLength(2);

    const again = record();
    await kv.exists("queue");
    expect(again.map(({ event }) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    const outcome = { ...called, operation: "exists", status: "ok", durationMs: 0.25 };
    for (const { content } of again.slice(2)) expect(content).toEqual(outcome);
    expect(new Set(again.map(({ context }) => context)).size).toBe(1);
  });

  test("the duration is the time until the operation settles", async () => {
    const env = virtualEnv();
    const kv = open({ env });
    const messages = record("asyncEnd");
    const popping = kv.popWait("queue", { timeout: 40 });
    await env.advance(40);
    await popping;
    expect(messages[0]?.content.durationMs).toBe(40.25);
  });

  test("a failure: error comes before asyncStart and asyncEnd, with the name of the error", async () => {
    const kv = open({ name: "failing", env: virtualEnv() });
    const messages = record();
    await expect(kv.get("missing")).rejects.toMatchObject({ name: "KeyNotFoundError" });
    const called = { store: "failing", backend: "memory", operation: "get" };
    const outcome = { status: "error", errorName: "KeyNotFoundError", durationMs: 0.25 };
    expect(messages.map(({ event, content }) => ({ event, content }))).toEqual([
      { event: "start", content: called },
      { event: "end", content: called },
      { event: "error", content: { ...called, ...outcome } },
      { event: "asyncStart", content: { ...called, ...outcome } },
      { event: "asyncEnd", content: { ...called, ...outcome } },
    ]);
  });

  test("refused arguments take no time", async () => {
    const kv = open({ env: virtualEnv() });
    await kv.size();
    const messages = record("error");
    const refused: [name: string, call: () => Promise<unknown>][] = [
      ["InvalidOptionsError", () => kv.get("")],
      ["SerializerError", () => kv.set("key", 1n)],
      ["ValueNumberRequiredError", () => kv.incrementBy("key", 0.5)],
      ["InvalidCursorError", () => kv.scan({ cursor: "?" })],
      ["InvalidOptionsError", () => kv.filter("bucket").add("")],
    ];
    for (const [name, call] of refused) await expect(call()).rejects.toMatchObject({ name });
    expect(messages.map(({ content }) => [content.errorName, content.durationMs])).toEqual(
      refused.map(([name]) => [name, 0]),
    );
  });

  test("refusals by the store take time", async () => {
    const kv = open({ env: virtualEnv() });
    await kv.set("value", "text");
    const messages = record("error");
    await expect(kv.pop("value")).rejects.toMatchObject({ name: "WrongTypeError" });
    await expect(kv.incrementBy("value", 1)).rejects.toMatchObject({ name: "ValueParseError" });
    expect(messages.map(({ content }) => content.durationMs)).toEqual([0.25, 0.25]);
  });

  test("a call within a call, from the value's toJSON, does not blur what was accepted", async () => {
    const kv = open({ env: virtualEnv() });
    const messages = record("asyncEnd");
    const calls: Promise<unknown>[] = [];
    const value = {
      toJSON(): never {
        calls.push(kv.exists("key"));
        throw new Error("no");
      },
    };
    await expect(kv.set("key", value)).rejects.toMatchObject({ name: "SerializerError" });
    await Promise.all(calls);
    const durations = messages.map(({ content }) => [content.operation, content.durationMs]);
    expect(Object.fromEntries(durations)).toEqual({ set: 0, exists: expect.any(Number) });
    expect(Object.fromEntries(durations).exists).toBeGreaterThan(0);
  });

  test("closed handles report StoreClosedError, filters too", async () => {
    const kv = open();
    const filter = kv.filter("bucket");
    await kv.close();
    const messages = record("error");
    await expect(kv.size()).rejects.toMatchObject({ name: "StoreClosedError" });
    await expect(filter.size()).rejects.toMatchObject({ name: "StoreClosedError" });
    expect(messages.map(({ content }) => [content.operation, content.errorName])).toEqual([
      ["size", "StoreClosedError"],
      ["filter_size", "StoreClosedError"],
    ]);
  });

  test("a store without a name goes by the name of default", async () => {
    const kv = openKv({ backend: "memory" });
    const messages = record("asyncEnd");
    await kv.size();
    expect(messages[0]?.content.store).toBe("default");
  });

  test("close, metrics and metricsText are no operations", async () => {
    const kv = open({ metrics: { operations: true } });
    const messages = record();
    await kv.metrics();
    await kv.metricsText();
    await kv.close();
    expect(messages).toEqual([]);
  });

  test("nothing in them tells a key, a value or an item", async () => {
    const kv = open();
    const messages = record();
    for (const call of Object.values(everyOperation)) await call(kv);
    for (const call of Object.values(everyFilterOperation)) await call(kv.filter(secret));
    const failing = [
      () => kv.get(`missing-${secret}`),
      () => kv.get(secret.repeat(1000)),
      () => kv.set(secret, Symbol(secret)),
      () => kv.setMany({ [secret]: () => secret }),
      () => kv.scan({ cursor: secret }),
      () => kv.incrementBy(secret, secret as never),
      () => kv.set(secret, 1, { claim: { id: secret, key: secret, token: 1 } }),
    ];
    for (const call of failing) await expect(call()).rejects.toThrow();
    expect(operationsOf(messages, "error")).toHaveLength(failing.length);
    const everything = { depth: Infinity, maxArrayLength: Infinity, showHidden: true } as const;
    expect(inspect(messages, everything)).not.toContain(secret);
  });
});

describe("subscribers", () => {
  test.each(events)("one to %s alone is enough", async (event) => {
    const kv = open();
    const messages = record(event);
    await kv.get("missing").catch(() => {});
    expect(messages).toHaveLength(1);
  });

  test("without any, nothing is sent", async () => {
    const kv = open();
    const messages = record();
    unsubscribe();
    const runStores = vi.spyOn(channel.start, "runStores");
    const publishing = events.map((event) => vi.spyOn(channel[event], "publish"));
    try {
      for (const call of Object.values(everyOperation)) await call(kv);
      await kv.get("missing").catch(() => {});
      for (const spy of [runStores, ...publishing]) expect(spy).not.toHaveBeenCalled();
      record();
      await kv.size();
      expect(runStores).toHaveBeenCalledTimes(1);
    } finally {
      vi.restoreAllMocks();
    }
    expect(messages).toEqual([]);
  });

  test("those of storage bound to start see it until the operation has settled", async () => {
    const spans = new AsyncLocalStorage<{ operation: string }>();
    channel.start.bindStore(spans as never, ({ operation }) => ({ operation }) as never);
    const seen: unknown[] = [];
    const listeners = {
      start: () => seen.push(spans.getStore()),
      end: () => seen.push(spans.getStore()),
      asyncStart: () => seen.push(spans.getStore()),
      asyncEnd: () => seen.push(spans.getStore()),
      error: () => seen.push(spans.getStore()),
    };
    channel.subscribe(listeners);
    try {
      const kv = open();
      const outer = { operation: "of the caller" };
      await spans.run(outer, async () => {
        await kv.get("missing").catch(() => {});
        expect(spans.getStore()).toBe(outer);
        await kv.popWait("queue", { timeout: 1 });
        expect(spans.getStore()).toBe(outer);
      });
    } finally {
      channel.unsubscribe(listeners);
      channel.start.unbindStore(spans as never);
    }
    expect(seen).toEqual([
      ...new Array(5).fill({ operation: "get" }),
      ...new Array(4).fill({ operation: "pop_wait" }),
    ]);
  });
});
