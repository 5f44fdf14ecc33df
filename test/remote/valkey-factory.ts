// How the suites get stores on a real server: one server for each test file, and a name for each
// store. The server's library is the one with the test clock, so that the Env decides what time it
// is.

import { Kv } from "anykv";
import type {
  CreateOptions,
  Feature,
  HistoryOptions,
  StoreFactory,
  TestStore,
} from "anykv/testing";
import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect } from "vitest";
import type { Env } from "../../src/env/env.js";
import { OperationMetrics } from "../../src/kv/metrics.js";
import { type KvOptions, normalizeOptions } from "../../src/kv/options/options.js";
import { formatOf } from "../../src/kv/serialization/format.js";
import type { Connection } from "../../src/remote/connection.js";
import { libraryWith } from "../../src/remote/library.js";
import { partitionOf } from "../../src/remote/partitions.js";
import { RemoteStore } from "../../src/remote/remote-store.js";
import { PlainConnection, type PlainOptions, plainClient } from "./plain-connection.js";
import { findProgram, type Server, type ServerKind, startServer } from "./servers.js";
import { verifyStore } from "./verify-store.js";

export interface FactoryOptions {
  readonly kind: ServerKind;
  readonly partitions: number;
  readonly form?: PlainOptions["form"];
  /** Of every store that it makes; default: a name of its own for each. */
  readonly storeName?: string | (() => string);
}

export const partitionGaps: Partial<Record<Feature, string>> = {
  "one partition":
    "its keys lie in several partitions, and the server does nothing that concerns two of them in one step",
};

let client: Redis | undefined;
let stores = 0;

/** For tests that do not care. */
export function anyKind(): ServerKind {
  return findProgram("valkey-server") === undefined ? "redis" : "valkey";
}

/** Starts the server of a test file. */
export function useServer(kind: ServerKind): void {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await startServer({ kind });
    client = await plainClient(server.port, "test");
  });
  afterAll(async () => {
    // Every store has been taken off the server, so whatever is left was written elsewhere.
    const left = await client?.keys("*");
    client?.disconnect();
    await server?.stop();
    expect(left).toStrictEqual([]);
  });
}

/** Uses a server of somebody else, whose other data are left alone. */
export function useGivenServer(url: string): void {
  beforeAll(async () => {
    client = await plainClient(url, "test");
  });
  afterAll(async () => {
    await client?.call("FUNCTION", "DELETE", libraryWith("test").name);
    client?.disconnect();
  });
}

export function theClient(): Redis {
  if (client === undefined) throw new Error("the server has not been started");
  return client;
}

/** Where a store of a test lives. */
export interface Place {
  connect(env: Env): Connection | Promise<Connection>;
  /** Verifies what is left of the store, and takes it off the server. */
  verify(): Promise<void>;
}

/** One store with its handles; it closes with the last of them, as in the registry. */
export class ServerStore {
  readonly #options: KvOptions;
  readonly #place: Place;
  #store: Promise<RemoteStore> | RemoteStore;
  readonly #metrics: OperationMetrics;
  readonly #underway = new Set<Promise<unknown>>();
  #handles: Kv[] = [];
  #open = 0;

  private constructor(options: KvOptions, place: Place, store: RemoteStore) {
    this.#options = options;
    this.#place = place;
    this.#metrics = new OperationMetrics(options);
    this.#store = store;
  }

  static async create(options: KvOptions, place: Place): Promise<ServerStore> {
    return new ServerStore(options, place, await openRemote(options, place));
  }

  handle(): Kv {
    const options = this.#options;
    const underway = this.#underway;
    this.#open++;
    const handle = new Kv({
      options,
      format: formatOf(options.serialization),
      store: this.#store,
      metrics: this.#metrics,
      attend: (work) => {
        underway.add(work);
        const done = (): boolean => underway.delete(work);
        work.then(done, done);
      },
      release: () => this.#release(),
    });
    this.#handles.push(handle);
    return handle;
  }

  async #release(): Promise<void> {
    if (--this.#open > 0) return;
    const store = await this.#store;
    await this.#options.env.timers.breathe();
    await Promise.allSettled(this.#underway);
    await store.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()));
    this.#handles = [];
  }

  async reopen(): Promise<Kv> {
    await this.closeAll();
    this.#store = await openRemote(this.#options, this.#place);
    return this.handle();
  }

  async close(): Promise<void> {
    await this.closeAll();
    await this.#place.verify();
  }
}

async function openRemote(options: KvOptions, place: Place): Promise<RemoteStore> {
  const { env, serialization, trackKeys } = options;
  const connection = await place.connect(env);
  return RemoteStore.open(connection, env, {
    serialization,
    trackKeys,
    // Days go by in these tests within a moment, and nobody else uses the store.
    pollMsMax: 3_600_000,
    reapMsMax: Infinity,
  });
}

export function valkeyFactory({
  kind,
  partitions,
  form = "functions",
  storeName,
}: FactoryOptions): StoreFactory {
  const spread = partitions === 1 ? "one partition" : `${partitions} partitions`;
  return {
    name: `${kind}-server, ${spread}, ${form}`,
    create: async ({ env, serialization, trackKeys }: CreateOptions): Promise<TestStore> => {
      const name = typeof storeName === "function" ? storeName() : (storeName ?? `s${++stores}`);
      const options = normalizeOptions({ backend: "memory", name, env, serialization, trackKeys });
      const plain = { store: name, partitions, clock: "test", form } as const;
      const place: Place = {
        connect: (of) => new PlainConnection(theClient(), of, plain),
        verify: () => verifyStore(theClient(), plain),
      };
      const store = await ServerStore.create(options, place);
      return {
        kv: store.handle(),
        second: () => store.handle(),
        reopen: () => store.reopen(),
        close: () => store.close(),
      };
    },
    ...(partitions === 1
      ? {}
      : { spread: { partitions, partitionOf: (key) => partitionOf(key, partitions) } }),
    gaps: {
      opening: "its opening is a matter of the network, which a test cannot hold up",
      snapshots: "the server keeps no former rows: writes during a backup may be in it",
      ...(partitions === 1 ? {} : partitionGaps),
    },
  };
}

/** Histories on a real server take about a second each. */
export function historyOptions(file: string): HistoryOptions {
  const { ANYKV_HISTORIES, ANYKV_SEED, ANYKV_PATH } = process.env;
  return {
    runs: Number(ANYKV_HISTORIES ?? 20),
    steps: 200,
    reopens: true,
    seed: Number(ANYKV_SEED ?? 1),
    ...(ANYKV_PATH === undefined ? {} : { path: ANYKV_PATH }),
    timeoutMsPerRun: 20_000,
    command: `npx vitest run test/remote/${file}.test.ts`,
  };
}
