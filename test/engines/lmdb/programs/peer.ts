// Peer: a process that carries out calls on stores for a test, which sends them one by one.
//
// Time is the test's. Every message tells what the clock shows, and timers are armed with the test,
// which says when they fire: so that one virtual clock rules all processes. Between messages time
// stands still here.

import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { virtualEnv } from "anykv/testing";

export type SentError = Record<string, unknown> & { readonly kv: boolean; readonly name: string };

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError };

export type Message =
  | {
      readonly kind: "open";
      readonly id: number;
      readonly store: number;
      readonly handle: number;
      readonly seed: number;
      readonly now: number;
      readonly options: OpenKvOptions;
    }
  | {
      readonly kind: "call";
      readonly id: number;
      readonly store: number;
      readonly handle: number;
      readonly now: number;
      readonly method: string;
      readonly args: unknown[];
      /** The call may be aborted, or has been already: its last argument is to be given a signal. */
      readonly signal: boolean;
      readonly aborted?: { readonly reason: unknown };
    }
  | { readonly kind: "abort"; readonly id: number; readonly call: number; readonly reason: unknown }
  | {
      readonly kind: "fire";
      readonly id: number;
      readonly store: number;
      readonly timer: number;
      readonly now: number;
    }
  /** Answered when all that is under way has come as far as it can. */
  | { readonly kind: "settle"; readonly id: number; readonly store: number; readonly now: number };

export type Notice =
  | { readonly arm: number; readonly store: number; readonly delayMs: number }
  | { readonly cancel: number; readonly store: number };

/** A key that no test touches. */
const untouchedKey = "\u{10fffd}";

type Method = (...args: unknown[]) => Promise<unknown>;

function tell(message: Answer | Notice): void {
  process.send?.(message);
}

class PeerStore {
  readonly handles = new Map<number, Kv>();
  readonly #number: number;
  readonly #world: ReturnType<typeof virtualEnv>;
  readonly #timers = new Map<number, () => void>();
  readonly env: NonNullable<OpenKvOptions["env"]>;
  #breathing = 0;

  constructor(number: number, seed: number, now: number) {
    this.#number = number;
    this.#world = virtualEnv({ seed, now });
    const { clock, random, files, processes } = this.#world;
    const timers = {
      after: (delayMs: number, callback: () => void) => this.#arm(delayMs, callback),
      breathe: () => this.#breathe(),
    };
    this.env = { clock, random, files, processes, timers };
  }

  #arm(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = nextNumber();
    this.#timers.set(timer, callback);
    tell({ arm: timer, store: this.#number, delayMs });
    return {
      cancel: () => {
        if (this.#timers.delete(timer)) tell({ cancel: timer, store: this.#number });
      },
    };
  }

  async #breathe(): Promise<void> {
    this.#breathing++;
    await turn();
    this.#breathing--;
  }

  set now(now: number) {
    this.#world.stall(now - this.#world.clock.now());
  }

  fire(timer: number): void {
    const callback = this.#timers.get(timer);
    this.#timers.delete(timer);
    callback?.();
  }

  /** Resolves when everything that was asked for before, and what timers have set off, is written. */
  async settle(): Promise<void> {
    do await turn();
    while (this.#breathing > 0);
    for (const kv of this.handles.values()) {
      try {
        // It waits for what is being reaped; and writes are carried out in turn.
        await kv.stats();
        await kv.delete(untouchedKey);
        break;
      } catch {
        // This handle has been closed.
      }
    }
    await turn();
  }
}

let numbers = 0;
function nextNumber(): number {
  return ++numbers;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const stores = new Map<number, PeerStore>();
const abortable = new Map<number, AbortController>();

function storeOf(number: number): PeerStore {
  const store = stores.get(number);
  if (store === undefined) throw new Error(`there is no store ${number}`);
  return store;
}

function call(message: Extract<Message, { kind: "call" }>): Promise<unknown> {
  const kv = storeOf(message.store).handles.get(message.handle) as Kv;
  const args = [...message.args];
  if (message.signal) {
    const controller = new AbortController();
    abortable.set(message.id, controller);
    if (message.aborted !== undefined) controller.abort(message.aborted.reason);
    args[1] = { ...(args[1] as object), signal: controller.signal };
  }
  const [family, name] = message.method.split(".");
  if (name === undefined) return Reflect.apply(Reflect.get(kv, message.method) as Method, kv, args);
  const filter = kv.filter(args.shift() as string);
  if (family !== "filter") throw new Error(`there is no method ${message.method}`);
  return Reflect.apply(Reflect.get(filter, name) as Method, filter, args);
}

async function carryOut(message: Message): Promise<unknown> {
  if (message.kind === "abort") {
    abortable.get(message.call)?.abort(message.reason);
    return undefined;
  }
  if (message.kind === "open" && !stores.has(message.store)) {
    stores.set(message.store, new PeerStore(message.store, message.seed, message.now));
  }
  const store = storeOf(message.store);
  store.now = message.now;
  if (message.kind === "open") {
    store.handles.set(message.handle, openKv({ ...message.options, env: store.env }));
    return undefined;
  }
  if (message.kind === "call") return call(message);
  if (message.kind === "fire") store.fire(message.timer);
  return store.settle();
}

function sent(error: unknown): SentError {
  const { name, message, code, cause } = error as Error & { code?: string };
  const own = Object.fromEntries(
    ["key", "hint", "errors"]
      .filter((field) => field in (error as object))
      .map((field) => [field, Reflect.get(error as object, field)]),
  );
  const reason = cause instanceof Error ? { cause: new Error(cause.message) } : {};
  return { kv: String(code).startsWith("ANYKV_"), name, message, ...own, ...reason };
}

process.on("message", (message: Message) => {
  carryOut(message).then(
    (value) => tell({ id: message.id, value }),
    (error) => tell({ id: message.id, error: sent(error) }),
  );
});
process.on("disconnect", () => process.exit());
