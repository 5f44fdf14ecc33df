// Scan cursors: where SCAN and SSCAN go on, as the decimal numbers that clients pass around.
//
// A place is the name behind which to go on, so keys that come and go elsewhere move nothing. No
// number has room for a name: a cursor is a digest of the place, and the places handed out last are
// remembered. The same place has the same cursor, whoever scans, so that many scans of the same keys
// take no more memory than one.
//
// A cursor that is not known (the server was started anew, or very many others have been handed out
// since) begins at the beginning: whoever scans sees keys twice, which every client of SCAN has to
// expect, and never misses one that was there all the time.

import { createHash } from "node:crypto";

const placesMax = 16_384;
/** Doubles hold 53 bits, and there are clients that keep cursors in doubles. */
const digestBytes = 6;

export class ScanCursors {
  // The one that was handed out or used last stands last.
  readonly #places = new Map<string, string>();

  /** The cursor that leads to a place. It is never "0", which stands for the beginning and the end. */
  toward(place: string): string {
    const digest = createHash("sha256").update(place).digest().readUIntBE(0, digestBytes);
    const cursor = String(digest + 1);
    this.#places.delete(cursor);
    this.#places.set(cursor, place);
    if (this.#places.size > placesMax) {
      const [first] = this.#places.keys();
      this.#places.delete(first as string);
    }
    return cursor;
  }

  /** The place that a cursor leads to; undefined for the beginning. */
  placeOf(cursor: string): string | undefined {
    const place = this.#places.get(cursor);
    if (place === undefined) return undefined;
    this.#places.delete(cursor);
    this.#places.set(cursor, place);
    return place;
  }
}
