// Option names: a mistyped one is refused, whatever it holds, instead of having no effect.
//
// Not where the seeds' contract governs the options: there unknown names are accepted, so that their
// scripts run, and a warning of the process tells of each. See "Rules that hold everywhere" in
// docs/api.md.

import { InvalidOptionsError } from "../base/errors.js";
import { warn } from "../env/warnings.js";
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

/**
 * The fields of an options argument of which some names may be unknown: a warning tells of them.
 * `place` is the method that was called. Costs a look-up for each field.
 */
export function tolerantFields(
  options: unknown,
  known: ReadonlySet<string>,
  place: string,
): Fields {
  const fields = fieldsOf(options);
  warnOfNames(fields, known, place);
  return fields;
}

/** Where names stand among those of other groups. */
export interface Surroundings {
  /** Before the names in messages, as in "disk.". */
  readonly group: string;
  /** The names that are known in any group, as in "disk.noSync": what is misplaced may be one. */
  readonly paths: readonly string[];
}

const alone: Surroundings = { group: "", paths: [] };

/** Costs a look-up for each field. */
export function warnOfNames(
  fields: Fields,
  known: ReadonlySet<string>,
  place: string,
  surroundings = alone,
): void {
  for (const name in fields) {
    if (known.has(name) || !Object.hasOwn(fields, name)) continue;
    warnOfName(name, known, place, surroundings);
  }
}

// Names may come from anywhere, so they are not remembered without end.
const warnedMax = 100;
const warned = new Set<string>();

/** Once for each name and place; of no more than `warnedMax`. */
function warnOfName(
  name: string,
  known: ReadonlySet<string>,
  place: string,
  surroundings: Surroundings,
): void {
  if (warned.size >= warnedMax) return;
  const option = `${shown(name, surroundings.group)} of ${place}`;
  if (warned.has(option)) return;
  warned.add(option);
  const question = suggestion(name, known, surroundings);
  warn({
    message: `${option} is not known and has no effect${question}`,
    code: "ANYKV_UNKNOWN_OPTION",
    detail: listed(known),
  });
}

function refuseName(name: string, known: ReadonlySet<string>, group: string): never {
  const question = suggestion(name, known, { group, paths: [] });
  const message = `${shown(name, group)} is not known${question}`;
  throw new InvalidOptionsError(message, { hint: listed(known) });
}

/** Names of options are shorter. */
const shownCharsMax = 40;

function shown(name: string, group: string): string {
  if (name.length > shownCharsMax) return `an option of ${name.length} characters`;
  return `option ${JSON.stringify(`${group}${name}`)}`;
}

function listed(known: ReadonlySet<string>): string {
  return `known are ${[...known].sort().join(", ")}`;
}

/** The end of a message that asks for the name that was meant, if there is one. */
function suggestion(
  name: string,
  known: ReadonlySet<string>,
  { group, paths }: Surroundings,
): string {
  if (name.length > shownCharsMax) return "";
  if (name.includes(".") && paths.includes(name)) {
    return `; did you mean ${name.replace(".", ": { ")} }?`;
  }
  const nearest = nearestName(name, [...[...known].sort(), ...paths.map(nameIn)]);
  if (nearest === undefined) return "";
  const meant = known.has(nearest)
    ? [`${group}${nearest}`]
    : paths.filter((path) => nameIn(path) === nearest);
  return `; did you mean ${meant.map((path) => `"${path}"`).join(" or ")}?`;
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
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
