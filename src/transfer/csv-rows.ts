// CSV rows: records of a file as entries, or as the complaint that they are none.
//
//   header   names of the columns: none blank, none twice
//   key      the cell of the key column, without blanks around it; it must be there and not blank.
//            Before it stands the prefix that the caller wishes for the keys
//   value    an object of all cells, the key's among them, all of them strings as they are. Cells
//            that a row lacks are ""; further ones, and all without a header, are named `column_N`,
//            where N is their place counted from 0

import { ValueParseError } from "../base/errors.js";
import { messageOf, trimBlanks } from "./transfer.js";

export interface CsvShape {
  readonly hasHeader: boolean;
  /** A name of the header, or without one a place counted from 0; undefined: keys do not matter. */
  readonly keyColumn: string | undefined;
  /** Stands before every key of the column. */
  readonly keyPrefix: string;
}

export interface CsvRow {
  readonly key: string;
  readonly value: Record<string, string>;
}

const markHint =
  "the file begins with a byte order mark, which belongs to its first name: save it without one";

export class CsvRows {
  readonly #shape: CsvShape;
  readonly #checkKey: (key: string) => void;
  #columns: readonly string[] = [];
  #keyPlace: number | undefined;

  constructor(shape: CsvShape, checkKey: (key: string) => void) {
    this.#shape = shape;
    this.#checkKey = checkKey;
    if (!shape.hasHeader && shape.keyColumn !== undefined) this.#keyPlace = Number(shape.keyColumn);
  }

  /** Takes the first record as the header. @throws ValueParseError */
  readHeader(record: readonly string[]): void {
    const seen = new Set<string>();
    const blank = record.findIndex((name) => trimBlanks(name) === "");
    if (blank !== -1) throw new ValueParseError(`header column ${blank} is empty`);
    for (const name of record) {
      if (seen.has(name)) {
        throw new ValueParseError(`header column ${JSON.stringify(name)} is there twice`);
      }
      seen.add(name);
    }
    this.#columns = record;
    const { keyColumn } = this.#shape;
    if (keyColumn === undefined) return;
    this.#keyPlace = record.indexOf(keyColumn);
    if (this.#keyPlace === -1) {
      const name = JSON.stringify(keyColumn);
      const mark = record[0]?.startsWith("\ufeff") ? `; ${markHint}` : "";
      throw new ValueParseError(
        `the header has no column ${name}, it has ${listed(record)}${mark}`,
      );
    }
  }

  /** The key of a record, "" when keys do not matter. @throws ValueParseError */
  keyOf(record: readonly string[]): string {
    if (this.#keyPlace === undefined) return "";
    const cell = record[this.#keyPlace];
    const name = JSON.stringify(this.#shape.keyColumn);
    if (cell === undefined) throw new ValueParseError(`the key column ${name} is missing`);
    const ownKey = trimBlanks(cell);
    if (ownKey === "") throw new ValueParseError(`the key in column ${name} is blank`);
    const key = this.#shape.keyPrefix + ownKey;
    try {
      this.#checkKey(key);
    } catch (cause) {
      throw new ValueParseError(messageOf(cause), { cause, key });
    }
    return key;
  }

  /** @throws ValueParseError when a cell beyond the header has the name of one in it. */
  check(record: readonly string[]): void {
    for (let place = this.#columns.length; place < record.length; place++) {
      const name = `column_${place}`;
      if (!this.#columns.includes(name)) continue;
      throw new ValueParseError(
        `the cell behind the last column would be "${name}", which the header has already`,
      );
    }
  }

  /** A record that `check` has let through. */
  valueOf(record: readonly string[]): Record<string, string> {
    const cells: [string, string][] = this.#columns.map((name, place) => [
      name,
      record[place] ?? "",
    ]);
    for (let place = cells.length; place < record.length; place++) {
      cells.push([`column_${place}`, record[place] as string]);
    }
    // Not by assignment, which has a meaning of its own for the name "__proto__".
    return Object.fromEntries(cells);
  }
}

const listedNamesMax = 20;
const listedCharsMax = 40;

/** The names of a header, as many of them and as much of each as a message bears. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, listedNamesMax).map((name) => {
    const characters = Array.from(name.slice(0, 2 * listedCharsMax + 1));
    const isShort = characters.length <= listedCharsMax;
    return isShort
      ? JSON.stringify(name)
      : `${JSON.stringify(characters.slice(0, listedCharsMax).join(""))}...`;
  });
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
