// Watched keys: what the keys of a WATCH held, to be compared when EXEC comes.
//
// A key counts as changed when its content or its deadline is another one. One that was changed and
// changed back is the same. Values are kept as they are; arrays and sets are read and digested, which
// costs as much as they are large.

import { createHash, type Hash } from "node:crypto";
import type { Row, View } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import { parseSpan } from "../../operations/list-rows.js";
import { isLive } from "../../operations/live.js";
import { memberKey } from "../../operations/members.js";

interface Remembered {
  readonly value: Stored | undefined;
  readonly rest: string;
}

export class WatchedKeys {
  readonly #keys = new Map<string, Remembered>();

  get size(): number {
    return this.#keys.size;
  }

  /** Remembers keys that are not watched already. */
  add(view: View, keys: readonly string[]): void {
    for (const key of keys) {
      if (!this.#keys.has(key)) this.#keys.set(key, contentOf(view, key));
    }
  }

  isChanged(view: View): boolean {
    for (const [key, before] of this.#keys) {
      const now = contentOf(view, key);
      if (now.rest !== before.rest || !isSame(now.value, before.value)) return true;
    }
    return false;
  }

  clear(): void {
    this.#keys.clear();
  }
}

function isSame(a: Stored | undefined, b: Stored | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  return Buffer.compare(a, b) === 0;
}

function contentOf(view: View, key: string): Remembered {
  const value = liveRow(view, view.values.get(key));
  if (value !== undefined) return { value: value.value, rest: `value ${value.deadline}` };
  const list = liveRow(view, view.lists.get(key));
  if (list !== undefined) {
    return { value: undefined, rest: `array ${list.deadline} ${arrayDigest(view, list)}` };
  }
  return { value: undefined, rest: setDigest(view, key) };
}

function liveRow(view: View, row: Row | undefined): Row | undefined {
  return row !== undefined && isLive(view, row) ? row : undefined;
}

function arrayDigest(view: View, list: Row): string {
  const { id, head, tail } = parseSpan(list.value);
  const hash = createHash("sha1");
  for (let index = head; index < tail; index++) {
    add(hash, view.items.element(id, index) ?? "");
  }
  return hash.digest("hex");
}

function setDigest(view: View, key: string): string {
  if (view.members.size === 0) return "nothing";
  const { start, end } = view.members.prefixRange(memberKey({ bucket: key, item: "" }));
  const hash = createHash("sha1");
  let items = 0;
  for (const member of view.members.slice(start, end)) {
    const row = liveRow(view, view.members.get(member));
    if (row === undefined) continue;
    items++;
    add(hash, `${row.deadline} ${member}`);
  }
  return items === 0 ? "nothing" : `set ${hash.digest("hex")}`;
}

function add(hash: Hash, content: Stored): void {
  hash.update(`${content.length}:`).update(content);
}
