// A store with the covers off: handles of any serialization on one memory engine, and a dump of
// every row of it. For tests of what the public interface does not show.

import { Kv } from "anykv";
import { type VirtualEnv, virtualEnv } from "anykv/testing";
import { type TableName, tableNames } from "../../src/engine/tables.js";
import { MemoryEngine } from "../../src/engines/memory/memory-engine.js";
import { OperationMetrics } from "../../src/kv/metrics.js";
import { normalizeOptions, type Serialization } from "../../src/kv/options/options.js";
import { formatOf } from "../../src/kv/serialization/format.js";
import { LocalStore } from "../../src/store/local-store.js";

/** Every row by table: key, value and deadline. */
export type Dump = Record<TableName, [key: string, value: unknown, deadline: number][]>;

export class OpenedEngine {
  readonly env: VirtualEnv = virtualEnv();
  readonly engine: MemoryEngine;
  readonly store: LocalStore;

  constructor(trackKeys = true) {
    this.engine = new MemoryEngine(this.env, { trackKeys });
    this.store = new LocalStore(this.engine, this.env);
  }

  /** A handle that reads and writes in that serialization, whatever others do. */
  handle(serialization: Serialization = "json"): Kv {
    const options = normalizeOptions({ backend: "memory", name: "bare", serialization });
    const { store } = this;
    const format = formatOf(serialization);
    const metrics = new OperationMetrics(options);
    const [attend, release] = [() => {}, async () => {}];
    return new Kv({ options, format, store, metrics, attend, release });
  }

  dump(): Dump {
    const dump = this.engine.read((view) => {
      const rows = tableNames.map((name) => {
        const table = view[name];
        const keys = table.slice(0, table.size);
        return [name, keys.map((key) => [key, table.get(key)?.value, table.get(key)?.deadline])];
      });
      return Object.fromEntries(rows) as Dump;
    }, undefined);
    return dump as Dump;
  }
}
