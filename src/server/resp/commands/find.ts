// Find: what a command meets under a key. What is of another kind than it expects is refused.

import type { Row, View } from "../../../engine/engine.js";
import { firstItem } from "../../../operations/items.js";
import { liveArray, liveValue } from "../../../operations/keys.js";
import { isLive } from "../../../operations/live.js";
import { wrongType } from "../errors.js";

export function findString(view: View, key: string): Row | undefined {
  const row = view.values.get(key);
  if (row !== undefined && isLive(view, row)) return row;
  if (view.lists.size > 0 && liveArray(view, key) !== undefined) throw wrongType();
  if (view.members.size > 0 && firstItem(view, key) !== undefined) throw wrongType();
  return undefined;
}

export function findList(view: View, key: string): Row | undefined {
  const row = liveArray(view, key);
  if (row !== undefined) return row;
  if (liveValue(view, key) !== undefined) throw wrongType();
  if (view.members.size > 0 && firstItem(view, key) !== undefined) throw wrongType();
  return undefined;
}

/** The row of the first item of a set. */
export function findSet(view: View, key: string): Row | undefined {
  if (liveValue(view, key) !== undefined) throw wrongType();
  if (view.lists.size > 0 && liveArray(view, key) !== undefined) throw wrongType();
  return firstItem(view, key);
}
