// Option names: a mistyped one is refused, whatever it holds, instead of having no effect.
//
// Not where the seeds' contract governs the options: there unknown names are ignored, so that their
// scripts run. See "Rules that hold everywhere" in docs/api.md.

import { InvalidOptionsError } from "../base/errors.js";
import { type Fields, fieldsOf } from "./arguments.js";

/** The names of an options type; the compiler sees to it that none is missing. */
export function namesOf<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

/** The fields of an options argument all of whose names are known. */
export function namedFields(options: unknown, known: ReadonlySet<string>): Fields {
  const fields = fieldsOf(options);
  checkNames(fields, known);
  return fields;
}

/**
 * `group` stands before the names in messages, as in "wal.". Costs a look-up for each field.
 * @throws InvalidOptionsError
 */
export function checkNames(fields: Fields, known: ReadonlySet<string>, group = ""): void {
  for (const name in fields) {
    // What somebody has added to `Object.prototype` is nothing that the caller has mistyped.
    if (!known.has(name) && Object.hasOwn(fields, name)) refuseName(name, known, group);
  }
}

/** Names of options are shorter. */
const shownCharsMax = 40;

function refuseName(name: string, known: ReadonlySet<string>, group: string): never {
  const names = [...known].sort();
  const hint = `known are ${names.join(", ")}`;
  if (name.length > shownCharsMax) {
    throw new InvalidOptionsError(`an option of ${name.length} characters is not known`, { hint });
  }
  const nearest = nearestName(name, names);
  const question = nearest === undefined ? "" : `; did you mean "${group}${nearest}"?`;
  const quoted = JSON.stringify(`${group}${name}`);
  throw new InvalidOptionsError(`option ${quoted} is not known${question}`, { hint });
}

/** The known name that a slip or two of the keyboard lead away from, if there is one. */
function nearestName(name: string, names: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  // Of three characters one may be wrong.
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1;
  let nearest: string | undefined;
  for (const candidate of names) {
    const slips = slipsBetween(lower, candidate.toLowerCase());
    if (slips >= fewest) continue;
    fewest = slips;
    nearest = candidate;
  }
  return nearest;
}

/** Characters added, left out, mistaken, or exchanged with their neighbour: the least of these. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const mistaken = a[row - 1] === b[column - 1] ? 0 : 1;
      let slips = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + mistaken,
      );
      const isExchange = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && isExchange) {
        slips = Math.min(slips, at(beforeLast, column - 2) + 1);
      }
      current.push(slips);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] as number;
}
