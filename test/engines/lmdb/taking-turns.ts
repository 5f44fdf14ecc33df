// Taking turns: a factory whose stores are open in four processes at once. Every call is carried out
// by one of them, drawn from the seed of the test's Env, and all four follow the clock of that Env.
//
// What cannot be sent to another process (functions, symbols, objects with methods of their own) is
// carried out by the test's own process, which is then the fifth to have the store open.
//
// While somebody waits for an element, further waits and whatever adds to arrays go to the same process:
// in another one they would be noticed when somebody looks, some milliseconds later, and those who wait
// in different processes have no order among them. That has a test of its own (neighbours.test.ts).

import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as anykv from "anykv";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import {
  type CreateOptions,
  type StoreFactory,
  seededRandom,
  type TestStore,
  type VirtualEnv,
} from "anykv/testing";
import type { CompiledPackage } from "../../processes/compiled-package.js";
import type { Answer, Message, Notice, SentError } from "./programs/peer.js";

export const processes = 4;

/** Where a sync costs nothing: what is on the disk is not the matter here. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

type Unnumbered<Each> = Each extends Message ? Omit<Each, "id"> : never;

/** What a peer tells of the timers of one store. */
interface TimerKeeper {
  arm(timer: number, delayMs: number): void;
  cancel(timer: number): void;
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly keepers = new Map<number, TimerKeeper>();
  #numbers = 0;

  constructor(compiled: CompiledPackage) {
    const program = join(compiled.directory, "test/engines/lmdb/programs/peer.js");
    this.#child = fork(program, { serialization: "advanced" });
    this.#child.on("message", (message) => this.#receive(message as Answer | Notice));
    this.#child.on("exit", (code, signal) => {
      const error = { kv: false, name: "Error", message: `a peer has ended: ${code ?? signal}` };
      for (const [id, settle] of this.#pending) settle({ id, error });
    });
  }

  #receive(message: Answer | Notice): void {
    if ("arm" in message) this.keepers.get(message.store)?.arm(message.arm, message.delayMs);
    else if ("cancel" in message) this.keepers.get(message.store)?.cancel(message.cancel);
    else this.#pending.get(message.id)?.(message);
  }

  /** The number of the message, and what came back. */
  send(message: Unnumbered<Message>): { id: number; result: Promise<unknown> } {
    const id = ++this.#numbers;
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, (answer) => {
        this.#pending.delete(id);
        if ("error" in answer) reject(received(answer.error));
        else resolve(answer.value);
      });
      this.#child.send({ ...message, id });
    });
    return { id, result };
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.disconnect();
    });
  }
}

function received({ kv, name, message, ...details }: SentError): Error {
  const found: unknown = Reflect.get(anykv, name);
  if (kv && typeof found === "function") return Reflect.construct(found, [message, details]);
  return Object.assign(new Error(String(message), details), { name });
}

/** Whether a value arrives in another process as what it is. */
function canBeSent(value: unknown, above: readonly object[] = []): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  if (above.includes(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const fields = Object.values(Object.getOwnPropertyDescriptors(value));
  return fields.every((field) => "value" in field && canBeSent(field.value, [...above, value]));
}

let stores = 0;

class SharedByProcesses {
  readonly #env: VirtualEnv;
  readonly #peers: readonly Peer[];
  readonly #number = ++stores;
  readonly #options: OpenKvOptions;
  readonly #directory = mkdtempSync(join(scratch, "anykv-turns-"));
  readonly #draw: (bound: number) => number;
  readonly #waits = new Set<Promise<unknown>>();
  #waiter: Peer | undefined;
  #handles = 0;
  #open: { close(): Promise<void> }[] = [];
  #busy = 0;

  constructor({ env, serialization, trackKeys }: CreateOptions, peers: readonly Peer[]) {
    this.#env = env;
    this.#peers = peers;
    this.#draw = seededRandom(env.seed).below;
    this.#options = {
      name: `turns-${this.#number}`,
      backend: "disk",
      path: join(this.#directory, "store"),
      serialization,
      trackKeys,
      // The time of the tests jumps; waiting for other writers is a matter of the real one.
      disk: { timeout: 0 },
    };
    for (const peer of peers) peer.keepers.set(this.#number, this.#keeper(peer));
  }

  /** Timers of the peers stand in the Env of the test, which therefore moves time for all. */
  #keeper(peer: Peer): TimerKeeper {
    const timers = new Map<number, { cancel(): void }>();
    return {
      arm: (timer, delayMs) => {
        const fire = (): void => {
          timers.delete(timer);
          this.#attend(peer.send({ kind: "fire", timer, ...this.#place }).result);
        };
        timers.set(timer, this.#env.timers.after(delayMs, fire));
      },
      cancel: (timer) => {
        timers.get(timer)?.cancel();
        timers.delete(timer);
      },
    };
  }

  get #place() {
    return { store: this.#number, now: this.#env.clock.now() };
  }

  /** The clock does not move on before a peer has done what a timer told it to do. */
  #attend(work: Promise<unknown>): void {
    if (this.#busy++ === 0) void this.#stayBusy();
    const leave = (): void => {
      this.#busy--;
    };
    work.then(leave, leave);
  }

  async #stayBusy(): Promise<void> {
    await Promise.resolve();
    while (this.#busy > 0) await this.#env.timers.breathe();
  }

  async open(): Promise<Kv> {
    const handle = ++this.#handles;
    const seed = 4 * this.#env.seed;
    await Promise.all(
      this.#peers.map(
        (peer, index) =>
          peer.send({
            ...{ kind: "open", handle, seed: seed + index, options: this.#options },
            ...this.#place,
          } as Unnumbered<Message>).result,
      ),
    );
    // An opening that is still under way elsewhere may hide the last write for a moment.
    const first = { kind: "call", handle, method: "exists", args: ["first"] as unknown[] } as const;
    const calls = this.#peers.map((peer) => peer.send({ ...first, signal: false, ...this.#place }));
    await Promise.all(calls.map(({ result }) => result));
    return this.#proxy(handle);
  }

  /** A handle that is there at once; calls arrive after its opening. */
  openNow(): Kv {
    // It may be closed before it is open.
    this.open().catch(() => {});
    return this.#proxy(this.#handles);
  }

  #proxy(handle: number): Kv {
    let local: Kv | undefined;
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= this.#close(handle, local);
      return closed;
    };
    const call = (method: string, args: unknown[]): Promise<unknown> => {
      const { signal, sent } = separateSignal(method, args);
      if (sent.every((arg) => canBeSent(arg))) return this.#call(handle, method, sent, signal);
      const isNew = local === undefined;
      local ??= openKv({ ...this.#options, env: this.#env });
      if (isNew && closed !== undefined) void local.close();
      return callHere(local, method, args);
    };
    this.#open.push({ close });
    const methodOf = (name: string) => {
      if (name === "then") return undefined;
      if (name === "close") return close;
      if (name === "filter") return (bucket: unknown) => filterProxy(bucket, call);
      return (...args: unknown[]) => call(name, args);
    };
    return new Proxy({} as Kv, {
      get: (_, name) => (name === Symbol.asyncDispose ? close : methodOf(String(name))),
    });
  }

  #call(
    handle: number,
    method: string,
    args: unknown[],
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const isWait = method === "popWait" || method === "popFirstWait";
    const drawn = this.#peers[this.#draw(this.#peers.length)] as Peer;
    const message = { kind: "call", handle, method, args, ...this.#place } as const;
    if (isWait) {
      this.#waiter ??= drawn;
      return this.#wait(this.#waiter, { ...message, signal: signal !== undefined }, signal);
    }
    const adds = method === "append" || method === "prepend";
    const peer = adds ? (this.#waiter ?? drawn) : drawn;
    return this.#settled(peer.send({ ...message, signal: false }).result);
  }

  /** Whoever was waiting has been told before the caller goes on. */
  async #settled(call: Promise<unknown>): Promise<unknown> {
    try {
      return await call;
    } finally {
      const waiter = this.#waiter;
      if (waiter !== undefined) await waiter.send({ kind: "settle", ...this.#place }).result;
    }
  }

  async #wait(
    peer: Peer,
    message: Unnumbered<Extract<Message, { kind: "call" }>>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const aborted = signal?.aborted ? { aborted: { reason: signal.reason as unknown } } : {};
    const { id, result } = peer.send({ ...message, ...aborted });
    const abort = (): void => {
      const { reason } = signal as AbortSignal;
      this.#attend(peer.send({ kind: "abort", call: id, reason }).result);
    };
    signal?.addEventListener("abort", abort);
    // The clock does not move before the wait has begun.
    this.#attend(peer.send({ kind: "settle", ...this.#place }).result);
    this.#waits.add(result);
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#waits.delete(result);
      if (this.#waits.size === 0) this.#waiter = undefined;
    }
  }

  async #close(handle: number, local: Kv | undefined): Promise<void> {
    const message = {
      kind: "call",
      handle,
      method: "close",
      args: [] as unknown[],
      signal: false,
    } as const;
    const closings = this.#peers.map((peer) => peer.send({ ...message, ...this.#place }).result);
    await Promise.all([...closings, local?.close()]);
  }

  async #closeAll(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open.map(({ close }) => close()));
  }

  async store(): Promise<TestStore> {
    return {
      kv: await this.open(),
      second: () => this.openNow(),
      reopen: async () => {
        await this.#closeAll();
        return this.open();
      },
      close: async () => {
        await this.#closeAll();
        for (const peer of this.#peers) peer.keepers.delete(this.#number);
        rmSync(this.#directory, { recursive: true, force: true });
      },
    };
  }
}

function separateSignal(
  method: string,
  args: unknown[],
): { signal: AbortSignal | undefined; sent: unknown[] } {
  const options = args[1] as { signal?: unknown } | undefined;
  const signal = method.endsWith("Wait") ? options?.signal : undefined;
  if (!(signal instanceof AbortSignal)) return { signal: undefined, sent: args };
  const { signal: _, ...rest } = options as object & { signal: unknown };
  return { signal, sent: [args[0], rest] };
}

function callHere(kv: Kv, method: string, args: unknown[]): Promise<unknown> {
  const [, name] = method.split(".");
  const target: object = name === undefined ? kv : kv.filter(args[0] as string);
  const call = Reflect.get(target, name ?? method) as (...args: unknown[]) => Promise<unknown>;
  return Reflect.apply(call, target, name === undefined ? args : args.slice(1));
}

function filterProxy(
  bucket: unknown,
  call: (method: string, args: unknown[]) => Promise<unknown>,
): object {
  return new Proxy(
    { bucket },
    {
      get: (target, name) =>
        name === "bucket"
          ? target.bucket
          : (...args: unknown[]) => call(`filter.${String(name)}`, [bucket, ...args]),
    },
  );
}

/** `peers` may still be on their way. */
export function turnsFactory(peers: () => readonly Peer[]): StoreFactory {
  return {
    name: "disk, four processes taking turns",
    create: (options) => new SharedByProcesses(options, peers()).store(),
    gaps: {
      opening: "its opening is the file system's business, which a test cannot hold up",
      "seeded random": "each process draws numbers of its own",
    },
  };
}
