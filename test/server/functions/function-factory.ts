// How the suites get remote stores on a store of this process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";
import type { View } from "../../../src/engine/engine.js";
import type { RowReader } from "../../../src/engine/row-reader.js";
import { openStore } from "../../../src/kv/backends.js";
import { type KvOptions, normalizeOptions } from "../../../src/kv/options/options.js";
import { formatOf } from "../../../src/kv/serialization/format.js";
import { checkRows } from "../../../src/operations/check.js";
import { FunctionLibrary } from "../../../src/server/functions/function-library.js";
import type { LocalStore } from "../../../src/store/local-store.js";
import { type Place, ServerStore } from "../../remote/valkey-factory.js";
import { FunctionConnection } from "./function-connection.js";

export const servedName = { prefix: "anykv", store: "served" } as const;

export type ServedBackend = "memory" | "wal" | "synced wal" | "disk";

let stores = 0;

/** A store with the library before it; what outlives its life is where `path` says. */
export class Served {
  readonly library: FunctionLibrary;
  readonly store: LocalStore;

  private constructor(store: LocalStore, options: KvOptions) {
    const format = formatOf(options.serialization);
    this.store = store;
    this.library = new FunctionLibrary(store, { env: options.env, format });
  }

  static async start(options: KvOptions): Promise<Served> {
    return new Served((await openStore(options)) as LocalStore, options);
  }

  /** Verifies what is left, and ends. */
  async stop(): Promise<void> {
    const problems = await this.store.direct.read(
      (view) => [...checkRows(rowsOf(view))],
      undefined,
    );
    this.library.close();
    await this.store.close();
    if (problems.length === 0) return;
    throw new Error(`the store is not in order: ${JSON.stringify(problems)}`);
  }
}

export function rowsOf(view: View): RowReader {
  return {
    *each(table, prefix = "") {
      const { start, end } = view[table].prefixRange(prefix);
      for (const key of view[table].slice(start, end)) {
        const row = view[table].get(key);
        if (row !== undefined) yield { key, value: row.value, deadline: row.deadline };
      }
    },
    has: (table, key) => view[table].has(key),
  };
}

export function optionsOf(
  backend: ServedBackend,
  { env, serialization, trackKeys }: Pick<CreateOptions, "env" | "serialization" | "trackKeys">,
  path: string,
): KvOptions {
  const common = { name: `served-${++stores}`, env, serialization, trackKeys };
  if (backend === "memory") return normalizeOptions({ ...common, backend });
  if (backend === "disk") {
    return normalizeOptions({ ...common, backend, path, disk: { timeout: 0 } });
  }
  const wal = { syncWrites: backend === "synced wal" };
  return normalizeOptions({ ...common, backend: "wal", path, wal });
}

/** With a persistent backend, `reopen` is another life of the server, too. */
export function functionFactory(backend: ServedBackend): StoreFactory {
  const isPersistent = backend !== "memory";
  return {
    name: `functions on ${backend}`,
    create: async (given: CreateOptions): Promise<TestStore> => {
      const { env, serialization, trackKeys } = given;
      const directory = mkdtempSync(join(tmpdir(), "anykv-served-"));
      const options = optionsOf(backend, given, join(directory, "store"));
      let served = await Served.start(options);
      const place: Place = {
        connect: (of) => new FunctionConnection(served.library, servedName, of),
        verify: async () => {
          await served.stop();
          rmSync(directory, { recursive: true, force: true });
        },
      };
      const name = `client-${++stores}`;
      const client = normalizeOptions({ backend: "memory", name, env, serialization, trackKeys });
      const store = await ServerStore.create(client, place);
      return {
        kv: store.handle(),
        second: () => store.handle(),
        reopen: async () => {
          await store.closeAll();
          if (isPersistent) {
            await served.stop();
            served = await Served.start(options);
          }
          return store.reopen();
        },
        close: () => store.close(),
      };
    },
    gaps: {
      opening: "its opening is a matter of the network, which a test cannot hold up",
      snapshots: "a backup is made in pages: writes during it may be in it",
    },
  };
}
