// Layout: the databases of a store's file. docs/formats/lmdb.md is the reference.

import {
  type ExpiringTable,
  expiringTables,
  type TableName,
  tableNames,
} from "../../engine/tables.js";

export const layoutVersion = 1;

/** What a store's file says of itself, in the database `meta` under the key `layout`. */
export const layoutKey = "layout";
export const layoutText = `anykv ${layoutVersion}`;
/** Present once the index of free keys is kept. */
export const freeBuiltKey = "free";

export const metaName = "meta";
/** Nodes of the counted orders of all tables. */
export const orderName = "order";

/** Tables that keep a counted order, and the index of free keys, with their tags in `order`. */
export const orderTags = {
  values: 1,
  lists: 2,
  items: 3,
  claims: 4,
  members: 5,
  counters: 6,
  garbage: 7,
  free: 8,
} as const satisfies Record<TableName | "free", number>;

export type OrderedName = keyof typeof orderTags;

export function deadlinesName(table: ExpiringTable): string {
  return `deadlines:${table}`;
}

/** Every database of a file. */
export const databaseNames: readonly string[] = [
  metaName,
  orderName,
  "free",
  ...tableNames,
  ...expiringTables.map(deadlinesName),
];

/**
 * What the file of a store lacks, by the names of what it has. All databases are made in one
 * transaction, so a store that lacks one is damaged.
 */
export function missingDatabases(names: readonly string[]): readonly string[] {
  return databaseNames.filter((name) => !names.includes(name));
}

/** Whether a file without `meta`, which would say so, has been a store: most of one is there. */
export function isMostOfAStore(missing: readonly string[]): boolean {
  return 2 * missing.length <= databaseNames.length;
}

/** Databases of a file, with room for those of later versions. */
export const databasesMax = 32;
