// How the suites get stores on a real cluster: through the connection that users get, by a client
// that all stores of a test file share. The library is the one with the test clock.

import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";
import { Cluster as ClusterClient, type Redis } from "iovalkey";
import { afterAll, beforeAll } from "vitest";
import { type Env, nodeEnv } from "../../src/env/env.js";
import { normalizeOptions } from "../../src/kv/options/options.js";
import { valkeySettings } from "../../src/kv/options/valkey-options.js";
import type { Call, Connection, Reply } from "../../src/remote/connection.js";
import { crc16, partitionOf, partitionTag, placedBy } from "../../src/remote/partitions.js";
import { openValkey } from "../../src/remote/valkey/open-valkey.js";
import type { ValkeyConnection } from "../../src/remote/valkey/valkey-connection.js";
import { verifyPartition } from "../../src/remote/verify-partition.js";
import { testPrefix } from "./plain-connection.js";
import { type Cluster, startCluster } from "./servers.js";
import { type Place, partitionGaps, ServerStore } from "./valkey-factory.js";
import { commandsOf } from "./verify-store.js";

let client: ClusterClient | undefined;
let stores = 0;

/** Starts the cluster of a test file. */
export function useCluster(): void {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster();
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
    client = new ClusterClient(nodes, { lazyConnect: true });
    await client.connect();
  }, 120_000);
  afterAll(async () => {
    client?.disconnect();
    await cluster?.stop();
  });
}

/** Tells the cluster the time of the Env before a call whenever it has moved. */
class TimedConnection implements Connection {
  readonly #inner: ValkeyConnection;
  readonly #client: ClusterClient;
  readonly #env: Env;
  readonly #tags: readonly string[];
  #told = Number.NaN;

  constructor(inner: ValkeyConnection, shared: ClusterClient, env: Env, tags: readonly string[]) {
    this.#inner = inner;
    this.#client = shared;
    this.#env = env;
    this.#tags = tags;
  }

  get partitions(): number {
    return this.#inner.partitions;
  }

  get server(): Connection["server"] {
    return this.#inner.server;
  }

  call(call: Call): Promise<Reply> {
    const now = this.#env.clock.now();
    if (now !== this.#told) {
      this.#told = now;
      // Goes the way of the calls, so it arrives before them.
      for (const tag of this.#tags) void this.#client.set(`${tag}:clock`, now);
    }
    const reply = this.#inner.call(call);
    void this.#stayBusy(reply);
    return reply;
  }

  opened(): Promise<void> {
    return this.#inner.opened();
  }

  get hasEnded(): boolean {
    return this.#inner.hasEnded;
  }

  onReconnect(listener: () => void): void {
    this.#inner.onReconnect(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  // The virtual Env counts work as ready as long as somebody breathes: it waits for replies, then.
  async #stayBusy(reply: Promise<unknown>): Promise<void> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    reply.then(settle, settle);
    while (!isSettled) await this.#env.timers.breathe();
  }
}

function placeOf(store: string, partitions: number): Place {
  const shared = client as ClusterClient;
  const tags = Array.from({ length: partitions }, (_, partition) =>
    partitionTag(testPrefix, store, partition),
  );
  return {
    connect: async (env) => {
      const settings = valkeySettings({ client: shared, partitions, prefix: testPrefix });
      const options = { env: nodeEnv, settings, storeName: store, clock: "test" } as const;
      return new TimedConnection(await openValkey(options), shared, env, tags);
    },
    verify: async () => {
      const faults: string[] = [];
      for (const tag of tags) {
        const node = nodeOf(shared, tag);
        faults.push(...(await verifyPartition(commandsOf(node), tag)));
        const names = await node.keys(`${tag}:*`);
        if (names.length > 0) await node.unlink(...names);
      }
      if (faults.length > 0) throw new Error(`the store is not in order:\n${faults.join("\n")}`);
    },
  };
}

/** The node that has all keys of a partition. */
function nodeOf(shared: ClusterClient, tag: string): Redis {
  const slot = crc16(Buffer.from(placedBy(tag))) % 16_384;
  const [address] = (shared as unknown as { slots: string[][] }).slots[slot] ?? [];
  const node = shared
    .nodes("master")
    .find(({ options }) => `${options.host}:${options.port}` === address);
  if (node === undefined) throw new Error(`nobody has slot ${slot}`);
  return node;
}

export function clusterFactory(partitions: number): StoreFactory {
  return {
    name: `cluster of six nodes, ${partitions} partitions`,
    create: async ({ env, serialization, trackKeys }: CreateOptions): Promise<TestStore> => {
      const name = `c${++stores}`;
      const options = normalizeOptions({ backend: "memory", name, env, serialization, trackKeys });
      const store = await ServerStore.create(options, placeOf(name, partitions));
      return {
        kv: store.handle(),
        second: () => store.handle(),
        reopen: () => store.reopen(),
        close: () => store.close(),
      };
    },
    spread: { partitions, partitionOf: (key) => partitionOf(key, partitions) },
    gaps: {
      opening: "its opening is a matter of the network, which a test cannot hold up",
      snapshots: "the server keeps no former rows: writes during a backup may be in it",
      ...partitionGaps,
    },
  };
}
