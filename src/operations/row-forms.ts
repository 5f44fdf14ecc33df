// Row forms: whether the row of a table has the form that its operations write, on its own.

import { never } from "../engine/engine.js";
import type { KeyedRow } from "../engine/row-reader.js";
import type { TableName } from "../engine/tables.js";

const number = "(?:0|-?[1-9]\\d*)";
const list = new RegExp(`^[1-9]\\d* (${number}) (${number})$`);
const garbage = new RegExp(`^(${number}) (${number})$`);
const item = new RegExp(`^[1-9]\\d*:${number}$`);
const id = /^[1-9]\d*$/;
const claim = /^[1-9]\d* /;
const member = /^(\d+):/;
const counterNames: ReadonlySet<string> = new Set(["token", "list"]);

function isSpan(form: RegExp, { value }: KeyedRow): boolean {
  const [, head, tail] = form.exec(String(value)) ?? [];
  return Number(head) < Number(tail);
}

function isMember({ key, value }: KeyedRow): boolean {
  const [head = "", length] = member.exec(key) ?? [];
  return value === "" && key.length - head.length >= Number(length);
}

interface Form {
  readonly holds: (row: KeyedRow) => boolean;
  readonly what: string;
}

const forms: Readonly<Record<TableName, Form>> = {
  values: { holds: () => true, what: "is no value" },
  lists: { holds: (row) => isSpan(list, row), what: "is no array" },
  items: { holds: ({ key }) => item.test(key), what: "is no element" },
  claims: {
    holds: ({ value, deadline }) => claim.test(String(value)) && deadline !== never,
    what: "is no claim",
  },
  members: { holds: isMember, what: "is no member" },
  counters: {
    // "copy" is the note of a copy into the store that has not come to its end.
    holds: ({ key, value }) =>
      key === "copy" ? typeof value === "string" : counterNames.has(key) && id.test(String(value)),
    what: "is no counter",
  },
  garbage: {
    holds: (row) => id.test(row.key) && isSpan(garbage, row),
    what: "is no array under removal",
  },
};

/** What is wrong with the form of a row; undefined when nothing is. */
export function faultOf(table: TableName, row: KeyedRow): string | undefined {
  const { holds, what } = forms[table];
  return holds(row) ? undefined : what;
}
