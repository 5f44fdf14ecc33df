// Snapshot files for tests on simulated files, which LMDB cannot use: all rows of a memory engine as
// JSON, written when the engine is closed.

import { never } from "../../src/engine/engine.js";
import type { SnapshotRow } from "../../src/engine/snapshot.js";
import { tableNames } from "../../src/engine/tables.js";
import { MemoryEngine } from "../../src/engines/memory/memory-engine.js";
import type { Env } from "../../src/env/env.js";
import type { SnapshotFiles } from "../../src/transfer/snapshot-files.js";

class PlainFileEngine extends MemoryEngine {
  readonly #end: () => Promise<void>;

  constructor(env: Env, end: () => Promise<void>) {
    super(env, { trackKeys: false });
    this.#end = end;
  }

  override close(): Promise<void> {
    return this.#end();
  }
}

function rowsOf(engine: MemoryEngine): SnapshotRow[] {
  const rows: SnapshotRow[] = [];
  const snapshot = engine.snapshot({ tables: tableNames, bestEffort: false });
  for (let some = snapshot.next(99); some !== undefined; some = snapshot.next(99))
    rows.push(...some);
  snapshot.close();
  return rows;
}

export const plainSnapshotFiles: SnapshotFiles = {
  async create(env, path) {
    const file = await env.files.open(path, "create");
    const engine: PlainFileEngine = new PlainFileEngine(env, async () => {
      try {
        await file.write(Buffer.from(JSON.stringify(rowsOf(engine))));
      } finally {
        await file.close();
      }
    });
    return engine;
  },
  async open(env, path) {
    const text = Buffer.from(await env.files.readAll(path)).toString();
    const rows: SnapshotRow[] = JSON.parse(text);
    const engine = new PlainFileEngine(env, async () => {});
    const loader = engine.loader();
    // JSON has no infinity.
    for (const { table, key, value, deadline } of rows) {
      loader.put(table, key, value, deadline ?? never);
    }
    return engine;
  },
  isInUse: async () => false,
  besides: () => [],
};
