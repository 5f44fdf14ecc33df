// Lists: arrays under a key, both ends O(1), for queues and stacks.

import type { Row, Transaction, View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { createdDeadline } from "./atomics.js";
import { requireClaim } from "./claim-rows.js";
import { dropList, type ListSpan, newSpan, parseSpan, putSpan } from "./list-rows.js";
import { checkValue, dropValue, isLive, refuseValue } from "./live.js";
import type {
  CheckValue,
  End,
  KeyRequest,
  PopRequest,
  PushRequest,
  RangeRequest,
} from "./requests.js";

function findList(view: View, key: string): Row | undefined {
  const row = view.lists.get(key);
  if (row !== undefined) return isLive(view, row) ? row : undefined;
  const value = view.values.get(key);
  if (value !== undefined && isLive(view, value)) refuseValue(key);
  return undefined;
}

/** As `findList`, for an operation that is going to write: expired rows are removed. */
function takeList(transaction: Transaction, key: string): Row | undefined {
  const row = findList(transaction, key);
  if (row !== undefined) return row;
  const expired = transaction.lists.get(key);
  if (expired !== undefined) dropList(transaction, key, expired);
  else if (transaction.values.has(key)) dropValue(transaction, key);
  return undefined;
}

/** Adds an element at one end, creating the array when there is none; the new length. */
export function push(transaction: Transaction, request: PushRequest): number {
  const { key, value, end, options } = request;
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
  const row = takeList(transaction, key);
  const deadline = row === undefined ? createdDeadline(transaction, options) : row.deadline;
  return pushOnto(transaction, key, row, value, end, deadline);
}

/** As `push`, on the row of the array or, with undefined, under a key where nothing is. */
export function pushOnto(
  transaction: Transaction,
  key: string,
  row: Row | undefined,
  value: Stored,
  end: End,
  deadline: number,
): number {
  const { id, head, tail } = row === undefined ? newSpan(transaction) : parseSpan(row.value);
  const span: ListSpan =
    end === "first" ? { id, head: head - 1, tail } : { id, head, tail: tail + 1 };
  transaction.items.putElement(id, end === "first" ? span.head : tail, value);
  putSpan(transaction, key, span, deadline);
  return span.tail - span.head;
}

/** Removes the element at one end and gives it back; undefined when there is no array. */
export function pop(transaction: Transaction, request: PopRequest): Stored | undefined {
  const { key, end, options } = request;
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
  const row = takeList(transaction, key);
  if (row === undefined) return undefined;
  return popFrom(transaction, key, row, end, request);
}

/** Removes the element at one end of the array of a row, once `check` has passed it. */
export function popFrom(
  transaction: Transaction,
  key: string,
  row: Row,
  end: End,
  request: { readonly check: CheckValue },
): Stored {
  const { id, head, tail } = parseSpan(row.value);
  const index = end === "first" ? head : tail - 1;
  const value = elementOf(transaction, id, index);
  checkValue(request, key, value);
  transaction.items.deleteElement(id, index);
  const span = end === "first" ? { id, head: head + 1, tail } : { id, head, tail: tail - 1 };
  putSpan(transaction, key, span, row.deadline);
  return value;
}

export function length(view: View, key: string): number {
  const row = findList(view, key);
  if (row === undefined) return 0;
  const { head, tail } = parseSpan(row.value);
  return tail - head;
}

/** Elements by position, as `Array.prototype.slice` counts. O(their number). */
export function range(view: View, request: RangeRequest): Stored[] {
  const row = findList(view, request.key);
  if (row === undefined) return [];
  const { id, head, tail } = parseSpan(row.value);
  const start = head + offset(request.start, tail - head);
  const end = head + offset(request.end, tail - head);
  const elements: Stored[] = [];
  for (let index = start; index < end; index++) elements.push(elementOf(view, id, index));
  return elements;
}

/** Removes a whole array; false when there was none. */
export function deleteList(transaction: Transaction, request: KeyRequest): boolean {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const row = takeList(transaction, request.key);
  if (row === undefined) return false;
  dropList(transaction, request.key, row);
  return true;
}

function offset(position: number, size: number): number {
  return position < 0 ? Math.max(0, size + position) : Math.min(position, size);
}

/** @throws Error when the element is not there: the array is damaged. */
export function elementOf(view: View, list: number, index: number): Stored {
  const value = view.items.element(list, index);
  if (value === undefined) throw new Error("an array spans an element that is not there");
  return value;
}
