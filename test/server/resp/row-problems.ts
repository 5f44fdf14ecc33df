// What is wrong with the rows of a store.

import type { Engine } from "../../../src/engine/engine.js";
import type { RowProblem, RowReader } from "../../../src/engine/row-reader.js";
import { checkRows } from "../../../src/operations/check.js";

export function rowProblems(engine: Engine): RowProblem[] {
  return engine.read((view) => {
    const rows: RowReader = {
      has: (table, key) => view[table].has(key),
      *each(table, prefix = "") {
        const { start, end } = view[table].prefixRange(prefix);
        for (const key of view[table].slice(start, end)) {
          const row = view[table].get(key);
          if (row !== undefined) yield { key, value: row.value, deadline: row.deadline };
        }
      },
    };
    return [...checkRows(rows)];
  }, undefined) as RowProblem[];
}
