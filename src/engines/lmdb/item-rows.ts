// Item rows: the row table of elements, which may be asked for by list id and index.

import { type Items, never } from "../../engine/engine.js";
import { itemKey } from "../../engine/item-keys.js";
import type { Stored } from "../../engine/stored.js";
import { RowTable } from "./row-table.js";

export class ItemRows extends RowTable implements Items {
  element(list: number, index: number): Stored | undefined {
    return this.get(itemKey(list, index))?.value;
  }

  putElement(list: number, index: number, value: Stored): void {
    this.put(itemKey(list, index), value, never);
  }

  deleteElement(list: number, index: number): boolean {
    return this.delete(itemKey(list, index));
  }
}
