// Remote stores for tests of their own: on the server of the test file, under names of their own.

import { type VirtualEnv, virtualEnv } from "anykv/testing";
import type { Stored } from "../../src/engine/stored.js";
import type { Env } from "../../src/env/env.js";
import type { Call, Connection } from "../../src/remote/connection.js";
import type { Operation } from "../../src/remote/operation-table.js";
import { type RemoteOptions, RemoteStore } from "../../src/remote/remote-store.js";
import { PlainConnection } from "./plain-connection.js";
import { RecordedConnection } from "./recorded-connection.js";
import { theClient } from "./valkey-factory.js";
import { verifyStore } from "./verify-store.js";

let stores = 0;

export class RemotePlace {
  readonly name = `r${++stores}`;
  readonly env: VirtualEnv = virtualEnv();
  readonly partitions: number;
  readonly #opened: RemoteStore[] = [];

  constructor(partitions = 1) {
    this.partitions = partitions;
  }

  /** One more client of the same store. */
  async open(options: Partial<RemoteOptions> = {}, partitions = this.partitions) {
    const place = { store: this.name, partitions, clock: "test", form: "functions" } as const;
    const connection = new PlainConnection(theClient(), this.env as Env, place);
    const store = await RemoteStore.open(connection, this.env, {
      serialization: "json",
      trackKeys: false,
      pollMsMax: 50,
      reapMsMax: Infinity,
      ...options,
    });
    this.#opened.push(store);
    return store;
  }

  /** Closes all, and verifies what is left. */
  async close(): Promise<void> {
    for (const store of this.#opened) await store.close();
    await verifyStore(theClient(), { store: this.name, partitions: this.partitions });
  }
}

/** Runs a test on a place of its own. */
export async function withPlace(
  partitions: number,
  body: (store: RemoteStore, place: RemotePlace) => Promise<void>,
): Promise<void> {
  const place = new RemotePlace(partitions);
  try {
    await body(await place.open(), place);
  } finally {
    await place.close();
  }
}

interface Between {
  /** Right before a call is sent. */
  readonly before?: () => unknown;
  /** When its answer has come, with the number of such calls. */
  readonly after?: (call: number) => Promise<unknown>;
}

/** One more client, which lets something happen around its calls of one operation. */
export async function openWatched(
  { name, env }: RemotePlace,
  operation: Operation,
  { before, after }: Between,
): Promise<{ store: RemoteStore; calls: Call[] }> {
  const options = { store: name, partitions: 1, clock: "test", form: "functions" } as const;
  const plain = new PlainConnection(theClient(), env as Env, options);
  const calls: Call[] = [];
  const connection: Connection = {
    partitions: 1,
    server: plain.server,
    call: async (call) => {
      if (call.operation !== operation) return plain.call(call);
      before?.();
      const reply = await plain.call(call);
      await after?.(calls.push(call));
      return reply;
    },
    hasEnded: false,
    opened: () => plain.opened(),
    onReconnect: () => {},
    close: () => plain.close(),
  };
  const store = await RemoteStore.open(connection, env, {
    serialization: "json",
    trackKeys: false,
    reapMsMax: Infinity,
  });
  return { store, calls };
}

/** One more client of the store, whose calls are recorded. */
export async function recorded({ name, env, partitions }: RemotePlace) {
  const plain = { store: name, partitions, clock: "test", form: "functions" } as const;
  const connection = new RecordedConnection(new PlainConnection(theClient(), env, plain));
  const options = { serialization: "json", trackKeys: false, reapMsMax: Infinity } as const;
  const store = await RemoteStore.open(connection, env, options);
  connection.calls.length = 0;
  return { store, connection };
}

export const check = (stored: Stored): void => {
  JSON.parse(`${stored}`);
};
