// Piece pages: walking over all that a store holds, in bounded memory.

import { type Piece, type PieceTable, pieceTables } from "../operations/pieces.js";
import type { Content } from "../store/content.js";

/** In one page, and in one write. */
export const pageRowsMax = 1_000;
const pageBytesMax = 4_194_304;

/** The pieces of a table that are live, and the moment of each page by the clock of the store. */
export async function* pagesOf(
  content: Content,
  table: PieceTable,
): AsyncGenerator<{ readonly pieces: readonly Piece[]; readonly now: number }> {
  let cursor: string | undefined = "";
  while (cursor !== undefined) {
    const bounds = { rowsMax: pageRowsMax, bytesMax: pageBytesMax };
    const page = await content.page({ table, cursor, ...bounds });
    yield page;
    cursor = page.cursor;
  }
}

/** Values, elements or items. */
export function rowsIn(piece: Piece): number {
  return piece.table === "arrays" ? piece.elements.length : 1;
}

/** How many of each; what has expired may be among them. */
export async function countRows(content: Content): Promise<Record<PieceTable, number>> {
  const { values, elements, items } = await content.counts();
  return { values, arrays: elements, filters: items };
}

export async function totalRowsOf(content: Content): Promise<number> {
  const rows = await countRows(content);
  return rows.values + rows.arrays + rows.filters;
}

export async function isEmptyContent(content: Content): Promise<boolean> {
  if ((await totalRowsOf(content)) === 0) return true;
  // What has expired may not have been removed yet.
  for (const table of pieceTables) {
    for await (const { pieces } of pagesOf(content, table)) {
      if (pieces.length > 0) return false;
    }
  }
  return true;
}
