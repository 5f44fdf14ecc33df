// Copy: all that one store holds into another one, whatever their backends.
//
//   note in the target -> tokens -> pieces that it lacks, page by page -> tokens again -> both read
//   again and compared -> note removed
//
// What a copy promises
// 1. What has arrived in the target is its progress; there is no other record of it. So a copy may
//    be killed at any moment: the next one finds what is there and writes what is missing.
// 2. A target that holds something is filled only if its note says that it is being filled from this
//    very source. Nothing that is in it is changed, unless the caller has said so.
// 3. It succeeds only after source and target have been read again and found equal. So nothing that
//    was mixed, lost or changed meanwhile goes unnoticed, whatever its cause.
// 4. Deadlines are moments and stay the same; what expires on the way is not missed. Claims stay
//    behind, and the target hands out no token that the source has handed out, however far it has come.
//
// It reads pages, not one instant: a source that is being written to makes the comparison fail.

import { CopyTargetError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import { type Piece, pieceTables } from "../operations/pieces.js";
import type { Content } from "../store/content.js";
import {
  type Comparison,
  compareStores,
  Differences,
  isEqual,
  refuseDifference,
} from "./copy-compare.js";
import type {
  ComparedTable,
  CopyEnd,
  StoreCopying,
  StoreCopyRequest,
  StoreCopySummary,
} from "./copy-types.js";
import { Pace } from "./pace.js";
import { isOver, likeness, PieceTally } from "./piece-compare.js";
import { isEmptyContent, pagesOf, rowsIn, totalRowsOf } from "./piece-pages.js";
import { checkCanceled } from "./transfer.js";

/**
 * @throws CopyTargetError, and nothing has changed; CopyDifferenceError when the stores differ in
 * the end; OperationCanceledError; what the stores throw. After all but the first, the same call
 * goes on where this one ended.
 */
export async function copyStore(
  copying: StoreCopying,
  request: StoreCopyRequest,
): Promise<StoreCopySummary> {
  checkCanceled(copying);
  const { from, to, mode } = request;
  if (from.identity === to.identity || (await isOneStore(copying, request))) {
    throw new CopyTargetError(`${to.address} is the source and the target of the copy`);
  }
  if (mode === "replace") await refuseNothing(request);
  const isEmpty = await isEmptyContent(to.store.content);
  const resumed = mode !== "merge" && (await begin(request, isEmpty));
  // Before anything that a token may be asked for: the copy may end at any moment.
  await to.store.content.raiseToken(await from.store.content.lastToken());
  if (mode === "replace") await to.store.dropClaims();
  const copy = new Copy(copying, request, isEmpty);
  await copy.fill();
  if (mode === "replace") await copy.removeRest();
  // The source may have handed out more meanwhile.
  await to.store.content.raiseToken(await from.store.content.lastToken());
  const comparison = await copy.verify();
  if (mode !== "merge") await end(request);
  const { written, kept, removed } = copy;
  return { resumed, written, kept, removed, tables: comparedTables(comparison) };
}

/**
 * Whether both addresses lead to one store: a server has many names. A number that a store keeps would
 * not do, because a server that was started from the data of another one keeps the same.
 */
async function isOneStore({ env }: StoreCopying, { from, to }: StoreCopyRequest): Promise<boolean> {
  const [source, target] = [from.store.content, to.store.content];
  if (source.marked === undefined || target.mark === undefined) return false;
  const sign = [1, 2].map(() => env.random.below(2 ** 53)).join("-");
  await target.mark(sign);
  try {
    return (await source.marked()) === sign;
  } finally {
    await target.mark("");
  }
}

/** Most likely, the source is not the store that was meant. */
async function refuseNothing({ from, to }: StoreCopyRequest): Promise<void> {
  if (!(await isEmptyContent(from.store.content))) return;
  throw new CopyTargetError(`${from.address} holds nothing, so ${to.address} would be emptied`, {
    hint: "check the name of the source; to empty a store, call `clear`",
  });
}

function comparedTables({ tables }: Comparison): StoreCopySummary["tables"] {
  const plain = ({ rows, checksum }: ComparedTable): ComparedTable => ({ rows, checksum });
  const { values, arrays, filters } = tables;
  return { values: plain(values), arrays: plain(arrays), filters: plain(filters) };
}

function noteOf({ identity }: CopyEnd): string {
  return JSON.stringify({ from: identity });
}

/** Leaves the note in the target; whether it was there. */
async function begin({ from, to, mode }: StoreCopyRequest, isEmpty: boolean): Promise<boolean> {
  const { content } = to.store;
  const note = noteOf(from);
  let present = await content.note();
  if (present === undefined && !isEmpty && mode === "fill") {
    throw new CopyTargetError(`${to.address} is not empty`, {
      hint: "copy to an empty store, or say --replace or --merge",
    });
  }
  // Somebody else may begin at the same time.
  while (present !== note) {
    if (present !== undefined && mode === "fill") refuseOther(to, present);
    const found = await content.swapNote({ expected: present, note });
    if (found === present) return false;
    present = found;
  }
  return true;
}

function refuseOther({ address }: CopyEnd, note: string): never {
  const { from } = JSON.parse(note) as { from: string };
  throw new CopyTargetError(`${address} is being filled from ${from}`, {
    hint: "end that copy first, or say --replace to give up what has arrived from there",
  });
}

async function end({ from, to }: StoreCopyRequest): Promise<void> {
  await to.store.content.swapNote({ expected: noteOf(from), note: undefined });
}

/** One run from the source to the target. */
class Copy {
  written = 0;
  kept = 0;
  removed = 0;
  readonly #copying: StoreCopying;
  readonly #request: StoreCopyRequest;
  readonly #from: Content;
  readonly #to: Content;
  // Whether nothing has to be looked for in the target.
  readonly #isFresh: boolean;
  // Of what never expires, as it was when it was copied.
  readonly #read = new PieceTally();
  readonly #different = new Differences();
  #rows = 0;

  constructor(copying: StoreCopying, request: StoreCopyRequest, isFresh: boolean) {
    this.#copying = copying;
    this.#request = request;
    this.#from = request.from.store.content;
    this.#to = request.to.store.content;
    this.#isFresh = isFresh;
  }

  async fill(): Promise<void> {
    const pace = new Pace(this.#copying.env, this.#copying);
    const totalRows = await totalRowsOf(this.#from);
    for (const table of pieceTables) {
      for await (const { pieces } of pagesOf(this.#from, table)) {
        const wanted = this.#isFresh ? pieces : await this.#lacking(pieces);
        if (wanted.length > 0) await this.#to.put(wanted);
        this.#account(pieces, wanted);
        await pace.step({ phase: "copy", rows: this.#rows, totalRows });
      }
    }
    if (this.#different.count > 0) {
      refuseDifference(this.#request, { changed: this.#different, isSource: false });
    }
  }

  #account(pieces: readonly Piece[], wanted: readonly Piece[]): void {
    let rows = 0;
    for (const piece of pieces) {
      rows += rowsIn(piece);
      if (piece.deadline === never) this.#read.add(piece);
    }
    this.#rows += rows;
    const written = wanted.reduce((total, piece) => total + rowsIn(piece), 0);
    this.written += written;
    this.kept += rows - written;
  }

  /** The pieces that the target does not hold as they are. */
  async #lacking(pieces: readonly Piece[]): Promise<Piece[]> {
    const found = await this.#to.find(pieces);
    return pieces.filter((piece, index) => {
      if (isOver(piece, found.now)) return false;
      const like = likeness(piece, found.pieces[index]);
      if (like === "same") return false;
      if (like === "different" && this.#request.mode === "fill") {
        this.#different.add(piece);
        return false;
      }
      return true;
    });
  }

  /** Removes what the source does not hold. */
  async removeRest(): Promise<void> {
    const pace = new Pace(this.#copying.env, this.#copying);
    const totalRows = await totalRowsOf(this.#to);
    let rows = 0;
    for (const table of pieceTables) {
      for await (const { pieces } of pagesOf(this.#to, table)) {
        const found = await this.#from.find(pieces);
        const rest = pieces.filter((_, index) => found.pieces[index] === undefined);
        if (rest.length > 0) await this.#to.drop(rest);
        for (const piece of rest) this.removed += rowsIn(piece);
        rows += pieces.length;
        await pace.step({ phase: "remove", rows, totalRows });
      }
    }
  }

  async verify(): Promise<Comparison> {
    const comparison = await compareStores(this.#copying, this.#request);
    if (!isEqual(comparison)) {
      const { rows, checksum } = comparison.permanent;
      const isSource = rows !== this.#read.rows || checksum !== this.#read.checksum;
      const { missing, changed, extra } = comparison;
      refuseDifference(this.#request, { missing, changed, extra, isSource });
    }
    return comparison;
  }
}
