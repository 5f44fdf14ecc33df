// Copy compare: reads source and target of a copy, each piece of the one against its place in the
// other, and tells what differs.
//
// The way from the source to the target finds what is missing or changed. What the target holds
// beyond that can only be found the other way round, which is gone when the numbers differ.

import { CopyDifferenceError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import { type Piece, type PieceTable, pieceTables } from "../operations/pieces.js";
import type { ComparedTable, StoreCopying, StoreCopyRequest } from "./copy-types.js";
import { Pace } from "./pace.js";
import { isOver, likeness, nameOf, PieceTally } from "./piece-compare.js";
import { countRows, pagesOf, rowsIn, totalRowsOf } from "./piece-pages.js";

const examplesMax = 5;

/** Pieces that differ: how many, and the names of the first ones. */
export class Differences {
  count = 0;
  readonly #names: string[] = [];

  add(piece: Piece): void {
    this.count++;
    if (this.#names.length < examplesMax) this.#names.push(nameOf(piece));
  }

  /** undefined when there are none. */
  describe(what: string): string | undefined {
    if (this.count === 0) return undefined;
    const names = this.#names.map((name) => JSON.stringify(name)).join(", ");
    return `${this.count} ${what} (${names}${this.count > examplesMax ? ", ..." : ""})`;
  }
}

export interface Comparison {
  readonly missing: Differences;
  readonly changed: Differences;
  readonly extra: Differences;
  /** Of what never expires in the source. */
  readonly permanent: PieceTally;
  readonly tables: Readonly<Record<PieceTable, ComparedTable>>;
}

export function isEqual({ missing, changed, extra }: Comparison): boolean {
  return missing.count + changed.count + extra.count === 0;
}

export async function compareStores(
  copying: StoreCopying,
  request: StoreCopyRequest,
): Promise<Comparison> {
  const comparing = new Comparing(copying, request);
  await comparing.forwards();
  if (request.mode !== "merge") await comparing.backwards();
  return comparing;
}

class Comparing implements Comparison {
  readonly missing = new Differences();
  readonly changed = new Differences();
  readonly extra = new Differences();
  readonly permanent = new PieceTally();
  readonly tables: Record<PieceTable, PieceTally> = {
    values: new PieceTally(),
    arrays: new PieceTally(),
    filters: new PieceTally(),
  };
  readonly #copying: StoreCopying;
  readonly #request: StoreCopyRequest;

  constructor(copying: StoreCopying, request: StoreCopyRequest) {
    this.#copying = copying;
    this.#request = request;
  }

  async forwards(): Promise<void> {
    const { from, to } = this.#request;
    const pace = new Pace(this.#copying.env, this.#copying);
    const totalRows = await totalRowsOf(from.store.content);
    let rows = 0;
    for (const table of pieceTables) {
      for await (const { pieces, now } of pagesOf(from.store.content, table)) {
        const found = await to.store.content.find(pieces);
        const latest = Math.max(now, found.now);
        for (const [index, piece] of pieces.entries()) {
          rows += rowsIn(piece);
          if (!isOver(piece, latest)) this.#compare(piece, found.pieces[index]);
        }
        await pace.step({ phase: "verify", rows, totalRows });
      }
    }
  }

  #compare(piece: Piece, found: Piece | undefined): void {
    if (piece.deadline === never) this.permanent.add(piece);
    // The sum is that of what lies in the target, which is the same only if all is the same.
    if (found !== undefined) this.tables[piece.table].add(found);
    const like = likeness(piece, found);
    if (like === "different") this.changed.add(piece);
    else if (like !== "same") this.missing.add(piece);
  }

  async backwards(): Promise<void> {
    const { from, to } = this.#request;
    const rows = await countRows(to.store.content);
    const pace = new Pace(this.#copying.env, this.#copying);
    for (const table of pieceTables) {
      const totalRows = rows[table];
      if (totalRows === this.tables[table].rows) continue;
      for await (const { pieces, now } of pagesOf(to.store.content, table)) {
        const found = await from.store.content.find(pieces);
        const latest = Math.max(now, found.now);
        for (const [index, piece] of pieces.entries()) {
          if (found.pieces[index] === undefined && !isOver(piece, latest)) this.extra.add(piece);
        }
        await pace.step({ phase: "verify", rows: totalRows, totalRows });
      }
    }
  }
}

export interface FoundDifferences {
  readonly missing?: Differences;
  readonly changed: Differences;
  readonly extra?: Differences;
  /** Whether the source was seen to change. */
  readonly isSource: boolean;
}

export function refuseDifference(
  { from, to }: StoreCopyRequest,
  { missing, changed, extra, isSource }: FoundDifferences,
): never {
  const what = [
    missing?.describe("missing"),
    changed.describe("different"),
    extra?.describe("too much"),
  ].filter((text) => text !== undefined);
  const culprit = isSource
    ? `${from.address} has changed while it was copied`
    : `${from.address} has changed since the copy began, or somebody else has written to ${to.address}`;
  throw new CopyDifferenceError(`${to.address} is not equal to the source: ${what.join(", ")}`, {
    hint: `${culprit}: stop the writers and copy again with --replace`,
  });
}
