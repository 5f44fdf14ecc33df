// Drawn random: a view whose choices are those of random numbers that a call has brought along.

import type { KeyOrder, ReadItems, ReadTable, Transaction, View } from "../../engine/engine.js";
import type { ExpiringTable } from "../../engine/tables.js";
import type { Random } from "../../env/env.js";
import { randomBound } from "./function-call.js";

class DrawnRandom implements Random {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(bound: number): number {
    const number = this.#numbers[this.#next++];
    if (number === undefined) throw new Error("more choices than random numbers");
    return Math.min(bound - 1, Math.floor((number / randomBound) * bound));
  }
}

class DrawnView implements View {
  protected readonly inner: View;
  readonly random: Random;

  constructor(inner: View, numbers: readonly number[]) {
    this.inner = inner;
    this.random = new DrawnRandom(numbers);
  }

  get now(): number {
    return this.inner.now;
  }

  get values(): ReadTable {
    return this.inner.values;
  }

  get lists(): ReadTable {
    return this.inner.lists;
  }

  get items(): ReadItems {
    return this.inner.items;
  }

  get claims(): ReadTable {
    return this.inner.claims;
  }

  get members(): ReadTable {
    return this.inner.members;
  }

  get counters(): ReadTable {
    return this.inner.counters;
  }

  get garbage(): ReadTable {
    return this.inner.garbage;
  }

  get free(): KeyOrder {
    return this.inner.free;
  }

  forEachDue(table: ExpiringTable, visit: (key: string) => void): void {
    this.inner.forEachDue(table, visit);
  }
}

class DrawnTransaction extends DrawnView {
  nextDue(table: ExpiringTable): string | undefined {
    return (this.inner as Transaction).nextDue(table);
  }
}

export function drawnView(view: View, numbers: readonly number[]): View {
  return new DrawnView(view, numbers);
}

/** The tables are those of the transaction itself. */
export function drawnTransaction(
  transaction: Transaction,
  numbers: readonly number[],
): Transaction {
  return new DrawnTransaction(transaction, numbers) as View as Transaction;
}
