// Loads: a whole new content, collected here until it takes the place of the present one at once.
//
// 1. One load at a time. One that has been silent for `silentMs` has been given up: its rows go, and
//    another one may begin.
// 2. What has been collected is bounded: whoever needs more restores or copies on the machine of the
//    store, or copies to it piece by piece.
// 3. Ids of arrays are numbers of the source. Here they become numbers that were never given out.

import { never } from "../../engine/engine.js";
import { itemKey } from "../../engine/item-keys.js";
import type { SnapshotRow } from "../../engine/snapshot.js";
import type { Stored } from "../../engine/stored.js";
import type { TableName } from "../../engine/tables.js";
import type { Env, Timer } from "../../env/env.js";
import { memberKey } from "../../operations/members.js";
import type { CountedSource } from "../../store/store.js";
import { refusal } from "./refusals.js";

const silentMs = 60_000;
/** Rows that are handed over at a time. */
const sliceRowsMax = 1_000;
/** What a row takes beside its key and its value. */
const rowBytes = 100;

interface LoadedValue {
  readonly value: Stored;
  readonly deadline: number;
}

interface LoadedArray {
  readonly deadline: number;
  /** Those that wait for being put in order, by their position in the source. */
  readonly loose: Map<number, Stored>;
  readonly built: Stored[];
}

export class Load {
  readonly id: string;
  readonly #bytesMax: number;
  readonly #values = new Map<string, LoadedValue>();
  readonly #arrays = new Map<string, LoadedArray>();
  readonly #sources = new Map<string, LoadedArray>();
  readonly #members = new Map<string, number>();
  #bytes = 0;
  touchedAt: number;
  isCommitting = false;

  constructor(id: string, now: number, bytesMax: number) {
    this.id = id;
    this.touchedAt = now;
    this.#bytesMax = bytesMax;
  }

  #charge(key: string, value: Stored): void {
    this.#bytes += rowBytes + key.length + value.length;
    if (this.#bytes <= this.#bytesMax) return;
    const limit = `at most ${this.#bytesMax} bytes can be restored over a connection`;
    throw refusal("REFUSED", `SnapshotBudgetExceededError ${limit}`);
  }

  addValue(key: string, value: Stored, deadline: number): void {
    this.#charge(key, value);
    this.#arrays.delete(key);
    this.#values.set(key, { value, deadline });
  }

  addArray(key: string, source: string, deadline: number): void {
    this.#charge(key, source);
    this.#values.delete(key);
    const array: LoadedArray = { deadline, loose: new Map(), built: [] };
    this.#arrays.set(key, array);
    this.#sources.set(source, array);
  }

  #source(source: string): LoadedArray {
    const array = this.#sources.get(source);
    if (array !== undefined) return array;
    throw refusal("REFUSED", `SnapshotReadError elements have come without their array`);
  }

  addElement(source: string, position: number, element: Stored): void {
    const { loose } = this.#source(source);
    this.#charge(source, element);
    loose.set(position, element);
  }

  /** Puts elements behind those that were put before. */
  build(source: string, positions: readonly number[]): void {
    const { loose, built } = this.#source(source);
    const missing = positions.find((position) => !loose.has(position));
    if (missing !== undefined || new Set(positions).size < positions.length) {
      throw refusal("REFUSED", "SnapshotReadError elements of an array have not come");
    }
    for (const position of positions) {
      built.push(loose.get(position) as Stored);
      loose.delete(position);
    }
  }

  addMember(bucket: string, item: string, deadline: number): void {
    const key = memberKey({ bucket, item });
    this.#charge(key, "");
    this.#members.set(key, deadline);
  }

  /** All rows; ids of arrays go on behind `lastList`. */
  source(lastList: number, token: number, { timers }: Env): CountedSource {
    let list = lastList;
    const lists = [...this.#arrays].filter(([, { built }]) => built.length > 0);
    const counter = (key: string, value: number): SnapshotRow =>
      rowOf("counters", key, String(value), never);
    const rows = this.#rows(lists, () => ++list);
    return {
      counters: [
        ...(token > 0 ? [counter("token", token)] : []),
        ...(lists.length > 0 ? [counter("list", lastList + lists.length)] : []),
      ],
      next: () => {
        const slice: SnapshotRow[] = [];
        for (let row = rows.next(); row.done !== true; row = rows.next()) {
          slice.push(row.value);
          if (slice.length === sliceRowsMax) return slice;
        }
        return slice.length > 0 ? slice : undefined;
      },
      pause: () => timers.breathe(),
    };
  }

  *#rows(
    lists: readonly (readonly [string, LoadedArray])[],
    nextList: () => number,
  ): Generator<SnapshotRow, void> {
    for (const [key, { deadline, built }] of lists) {
      const id = nextList();
      yield rowOf("lists", key, `${id} 0 ${built.length}`, deadline);
      for (const [index, element] of built.entries()) {
        yield rowOf("items", itemKey(id, index), element, never);
      }
    }
    for (const [key, deadline] of this.#members) yield rowOf("members", key, "", deadline);
    for (const [key, { value, deadline }] of this.#values) {
      yield rowOf("values", key, value, deadline);
    }
  }
}

function rowOf(table: TableName, key: string, value: Stored, deadline: number): SnapshotRow {
  return { table, key, value, deadline, again: false };
}

export class Loads {
  readonly #env: Env;
  readonly #bytesMax: number;
  #current: Load | undefined;
  #timer: Timer | undefined;

  constructor(env: Env, bytesMax: number) {
    this.#env = env;
    this.#bytesMax = bytesMax;
  }

  begin(id: string): void {
    const now = this.#env.clock.now();
    const present = this.#current;
    if (present !== undefined && (present.isCommitting || present.touchedAt + silentMs > now)) {
      throw refusal("LOADING", "a restore is replacing the data");
    }
    this.end();
    this.#current = new Load(id, now, this.#bytesMax);
    this.#watch();
  }

  /** The load of that name, which has just been heard of. */
  required(id: string): Load {
    const load = this.#current;
    if (load?.id !== id || load.isCommitting) {
      throw refusal("LOAD_LOST", "another load has taken over");
    }
    load.touchedAt = this.#env.clock.now();
    return load;
  }

  abandon(id: string): void {
    if (this.#current?.id === id && !this.#current.isCommitting) this.end();
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#current = undefined;
  }

  /** Lets go of what nobody has gone on with. */
  #watch(): void {
    this.#timer = this.#env.timers.after(silentMs, () => {
      const load = this.#current;
      if (load === undefined) return;
      const isSilent = load.touchedAt + silentMs <= this.#env.clock.now();
      if (isSilent && !load.isCommitting) this.end();
      else this.#watch();
    });
  }
}
