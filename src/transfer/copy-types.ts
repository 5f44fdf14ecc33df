// What copies of stores are asked for, and what they tell.

import type { Env } from "../env/env.js";
import type { PieceTable } from "../operations/pieces.js";
import type { Store } from "../store/store.js";
import type { Attention } from "./pace.js";

export interface CopyEnd {
  readonly store: Store;
  /** What messages call it. */
  readonly address: string;
  /** What a note recognises it by: the address as it is known everywhere. */
  readonly identity: string;
}

/**
 * - `fill`: the target is empty, or has been begun from the same source.
 * - `replace`: the target becomes equal to the source; what it held is gone, claims included.
 * - `merge`: what the source holds goes over what the target holds under the same names.
 */
export type CopyMode = "fill" | "replace" | "merge";

export interface StoreCopyRequest {
  readonly from: CopyEnd;
  readonly to: CopyEnd;
  readonly mode: CopyMode;
}

export interface StoreCopyProgress {
  readonly phase: "copy" | "remove" | "verify";
  readonly rows: number;
  /** Estimated: writers, and what expires, may change it. */
  readonly totalRows: number;
}

export interface StoreCopying extends Attention<StoreCopyProgress> {
  readonly env: Env;
}

/** The same in both stores. */
export interface ComparedTable {
  /** Values, elements of arrays or items of filters. */
  readonly rows: number;
  readonly checksum: string;
}

export interface StoreCopySummary {
  /** Whether the target had been begun before. */
  readonly resumed: boolean;
  /** Values, elements and items: written, there already, removed. */
  readonly written: number;
  readonly kept: number;
  readonly removed: number;
  readonly tables: Readonly<Record<PieceTable, ComparedTable>>;
}
