// Expiry: deadlines of keys, and the removal of what is past them.

import { never, type Row, type Table, type Transaction, type View } from "../engine/engine.js";
import { type ExpiringTable, expiringTables } from "../engine/tables.js";
import { endClaim, requireClaim } from "./claim-rows.js";
import { dropList, sweepGarbage } from "./list-rows.js";
import { dropValue, isLive } from "./live.js";
import type { ExpireRequest, KeyRequest } from "./requests.js";

interface Found {
  readonly table: Table;
  readonly row: Row;
}

function findKey(transaction: Transaction, key: string): Found | undefined {
  for (const table of [transaction.values, transaction.lists]) {
    const row = table.get(key);
    if (row !== undefined) return isLive(transaction, row) ? { table, row } : undefined;
  }
  return undefined;
}

/** Lets a value or an array expire `ttl` from now; false when the key is not there. */
export function expire(transaction: Transaction, request: ExpireRequest): boolean {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const found = findKey(transaction, request.key);
  if (found === undefined) return false;
  found.table.put(request.key, found.row.value, transaction.now + request.ttl);
  return true;
}

/** Takes the expiry away; false when the key is not there or had none. */
export function persist(transaction: Transaction, request: KeyRequest): boolean {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const found = findKey(transaction, request.key);
  if (found === undefined || found.row.deadline === never) return false;
  found.table.put(request.key, found.row.value, never);
  return true;
}

/** Milliseconds left, `never`, or undefined when the key is not there. */
export function timeToLive(view: View, key: string): number | undefined {
  const row = view.values.get(key) ?? view.lists.get(key);
  if (row === undefined || !isLive(view, row)) return undefined;
  return row.deadline === never ? never : row.deadline - view.now;
}

// How each kind of row leaves when its time has come. `nextDue` named the key, so it is there.
const reapers: { [Name in ExpiringTable]: (transaction: Transaction, key: string) => void } = {
  values: dropValue,
  claims: endClaim,
  lists: (transaction, key) => dropList(transaction, key, transaction.lists.get(key) as Row),
  members: (transaction, key) => transaction.members.delete(key),
};

/** Removes up to `limit` rows whose deadline has come; true when more are left. */
export function reapDue(transaction: Transaction, limit: number): boolean {
  let left = limit;
  for (const table of expiringTables) {
    const reap = reapers[table];
    let key = transaction.nextDue(table);
    for (; key !== undefined && left > 0; left--) {
      reap(transaction, key);
      key = transaction.nextDue(table);
    }
    if (key !== undefined) return true;
  }
  return false;
}

/** One bounded step of background work: due rows first, then unreachable elements. */
export function reapStep(transaction: Transaction, limit: number): boolean {
  return reapDue(transaction, limit) || sweepGarbage(transaction, limit);
}
