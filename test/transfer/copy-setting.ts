// What tests of copies work with: stores of each backend, and their whole content as plain data.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { virtualEnv } from "anykv/testing";
import type { Env } from "../../src/env/env.js";
import { openStore } from "../../src/kv/backends.js";
import { normalizeOptions } from "../../src/kv/options/options.js";
import { pieceTables } from "../../src/operations/pieces.js";
import type { Store } from "../../src/store/store.js";
import { copyStore } from "../../src/transfer/copy.js";
import type { CopyEnd, CopyMode, StoreCopySummary } from "../../src/transfer/copy-types.js";
import { pagesOf } from "../../src/transfer/piece-pages.js";

let stores = 0;

/** A store of another backend than those in files or in memory. */
export type OpenEnd = (backend: string, name: string, env: Env) => Promise<Store>;

/** A place in which stores are opened, on one clock; it takes its files with it. */
export class CopySetting {
  readonly env: Env;
  readonly directory: string = mkdtempSync(join(tmpdir(), "anykv-copy-"));
  readonly #open: Store[] = [];

  readonly #openOther: OpenEnd | undefined;

  constructor({ open }: { readonly open?: OpenEnd | undefined } = {}) {
    this.env = virtualEnv();
    this.#openOther = open;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** `address` also names the file or directory. */
  async end(backend: string, address: string): Promise<CopyEnd> {
    const name = `copy-${++stores}`;
    const path = this.path(address);
    const { env } = this;
    const isOurs = ["memory", "wal", "disk"].includes(backend);
    const store = isOurs
      ? await openStore(normalizeOptions({ backend, name, path, env }))
      : await this.#openOther?.(backend, name, env);
    if (store === undefined) throw new Error(`no backend ${backend}`);
    this.#open.push(store);
    return { store, address, identity: address };
  }

  copy(
    from: CopyEnd,
    to: CopyEnd,
    mode: CopyMode = "fill",
    attention: { signal?: AbortSignal; onProgress?: () => void } = {},
  ): Promise<StoreCopySummary> {
    const { signal, onProgress } = attention;
    return copyStore({ env: this.env, signal, onProgress }, { from, to, mode });
  }

  async close(): Promise<void> {
    for (const store of this.#open) await store.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const check = (): void => {};

/** Values of every kind, arrays in their order and filters, some of which expire. */
export async function fill(store: Store, size: number): Promise<void> {
  const entries = Array.from({ length: size }, (_, index) => ({
    key: `key:${index % 7}:${index}`,
    value: `{"number":${index}}`,
  }));
  await store.setMany({ entries });
  await store.set({ key: "text", value: "no JSON: é \u{1f600}" });
  await store.set({ key: "bytes", value: Uint8Array.of(0, 255, 10, 13) });
  await store.set({ key: "soon", value: "1", options: { ttl: 1_000 } });
  await store.set({ key: "later", value: "2", options: { ttl: 1_000_000 } });
  await together(Math.min(size, 2_500), (index) =>
    store.push({ key: "queue", value: `${index}`, end: "last" }),
  );
  for (const value of ["b", "a"]) await store.push({ key: "stack", value, end: "first" });
  await store.push({ key: "bits", value: Uint8Array.of(1, 2), end: "last" });
  await store.expire({ key: "stack", ttl: 2_000_000 });
  await together(Math.min(size, 1_500), (index) =>
    store.addMember({ bucket: `b${index % 3}`, item: `item ${index}` }),
  );
  await store.addMember({ bucket: "b1:", item: "b:", ttl: 3_000_000 });
  await store.claimRandom({ prefix: "key:", count: 3, check, lease: { ttl: 60_000, owner: "" } });
}

/** Operations in the order of their numbers, all at once. */
async function together(size: number, operation: (index: number) => unknown): Promise<void> {
  await Promise.all(Array.from({ length: size }, (_, index) => operation(index)));
}

/** All that is live, in an order that is the same on every backend. */
export async function contentOf({ content }: Store): Promise<unknown[]> {
  const rows: [string, unknown][] = [];
  for (const table of pieceTables) {
    for await (const { pieces } of pagesOf(content, table)) {
      for (const piece of pieces) {
        if (piece.table === "values") {
          rows.push([`v ${piece.key}`, [piece.value, piece.deadline]]);
        } else if (piece.table === "filters") {
          rows.push([`f ${piece.bucket.length} ${piece.bucket} ${piece.item}`, piece.deadline]);
        } else {
          const { key, first, elements, length, deadline } = piece;
          for (const [offset, element] of elements.entries()) {
            const digits = `${first + offset}`.padStart(9, "0");
            rows.push([`a ${key} ${digits}`, [element, length, deadline]]);
          }
        }
      }
    }
  }
  const order = rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return order.map(([name, row]) => [name, Array.isArray(row) ? row.map(plain) : row]);
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("hex") } : value;
}

/** The token that the next claim gets. */
export async function nextToken(store: Store): Promise<number> {
  await store.set({ key: "claim me", value: "1" });
  const request = { prefix: "claim me", count: 1, check, lease: { ttl: 1_000, owner: "" } };
  const [claim] = await store.claimRandom(request);
  return claim?.token ?? Number.NaN;
}
