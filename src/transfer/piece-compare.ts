// Piece compare: whether two stores hold the same, piece by piece, and sums over all that passed.

import { crc32 } from "node:zlib";
import { never } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { memberKey } from "../operations/members.js";
import type { Piece } from "../operations/pieces.js";

/**
 * What is found in the place of a piece: nothing, only the beginning of its elements (nothing of an
 * array counts as such, where all elements before are there), the same, or something else.
 */
export type Likeness = "absent" | "begun" | "same" | "different";

export function likeness(piece: Piece, found: Piece | undefined): Likeness {
  if (found === undefined) return "absent";
  if (found.table !== piece.table || found.deadline !== piece.deadline) return "different";
  if (piece.table === "values" && found.table === "values") {
    return sameStored(piece.value, found.value) ? "same" : "different";
  }
  if (piece.table !== "arrays" || found.table !== "arrays") return "same";
  const { first, elements, length } = piece;
  if (!found.elements.every((element, index) => sameStored(element, elements[index]))) {
    return "different";
  }
  if (found.elements.length < elements.length) {
    return found.length === first + found.elements.length ? "begun" : "different";
  }
  // How long an array is shows in its last piece: until then it may be growing.
  const isLast = first + elements.length === length;
  return isLast && found.length !== length ? "different" : "same";
}

function sameStored(a: Stored, b: Stored | undefined): boolean {
  if (typeof a === "string" || typeof b === "string" || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

/** Whether the time of a piece has come by the clock of whoever looked last. */
export function isOver({ deadline }: Piece, now: number): boolean {
  return deadline !== never && deadline <= now;
}

export function nameOf(piece: Piece): string {
  if (piece.table !== "filters") return piece.key;
  return `${piece.bucket}: ${piece.item}`;
}

/** Keeps a sum of checksums exact in a double. */
const sumBound = 2 ** 52;

/** Number and checksum of values, elements or items, whatever their order. */
export class PieceTally {
  rows = 0;
  #sum = 0;

  add(piece: Piece): void {
    if (piece.table === "values") this.#count(checksum(piece, piece.key, piece.value));
    else if (piece.table === "filters") this.#count(checksum(piece, memberKey(piece), ""));
    else {
      for (const [offset, element] of piece.elements.entries()) {
        this.#count(checksum(piece, `${piece.first + offset} ${piece.key}`, element));
      }
    }
  }

  #count(sum: number): void {
    this.rows++;
    this.#sum = (this.#sum + sum) % sumBound;
  }

  get checksum(): string {
    return this.#sum.toString(16).padStart(13, "0");
  }
}

function checksum({ table, deadline }: Piece, name: string, value: Stored): number {
  const head = `${table} ${deadline} ${typeof value} ${name.length} ${name}`;
  return crc32(value, crc32(head));
}
