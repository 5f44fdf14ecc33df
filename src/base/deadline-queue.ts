// Deadline queue: which of many instants comes first, with removal of any of them.
//
// An indexed 4-ary min-heap: every deadline knows its slot, so that moving or removing one costs
// O(log n) and a deadline that is refreshed a thousand times leaves nothing behind. Four children
// per node halve the depth against two, and with it the cache misses of a large heap.
//
// Invariants
// 1. `heap[slot].slot === slot` for every slot.
// 2. No node is due before its parent.

const arity = 4;
const nowhere = -1;

class Slot<Subject> {
  at: number;
  readonly subject: Subject;
  slot = nowhere;

  constructor(subject: Subject, at: number) {
    this.subject = subject;
    this.at = at;
  }
}

/** An instant in the queue; its place there is the queue's business. */
export interface Deadline<Subject> {
  /** Unix milliseconds. */
  readonly at: number;
  readonly subject: Subject;
}

export class DeadlineQueue<Subject> {
  #heap: Slot<Subject>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest instant, or Infinity. O(1). */
  get earliest(): number {
    const first = this.#heap[0];
    return first === undefined ? Infinity : first.at;
  }

  /** O(log n). */
  add(subject: Subject, at: number): Deadline<Subject> {
    const deadline = new Slot(subject, at);
    this.#rise(deadline, this.#heap.length);
    return deadline;
  }

  /** Gives a deadline of this queue another instant. O(log n). */
  move(deadline: Deadline<Subject>, at: number): void {
    const slot = this.#slotOf(deadline);
    const moved = deadline as Slot<Subject>;
    const later = at > moved.at;
    moved.at = at;
    if (later) this.#sink(moved, slot);
    else this.#rise(moved, slot);
  }

  /** O(log n). */
  remove(deadline: Deadline<Subject>): void {
    const slot = this.#slotOf(deadline);
    const last = this.#heap.pop() as Slot<Subject>;
    (deadline as Slot<Subject>).slot = nowhere;
    if (last === deadline) return;
    this.#sink(last, slot);
    if (last.slot === slot) this.#rise(last, slot);
  }

  /** The earliest deadline if it is due at `now`. O(1). */
  first(now: number): Deadline<Subject> | undefined {
    const first = this.#heap[0];
    return first !== undefined && first.at <= now ? first : undefined;
  }

  /** Removes and returns the earliest deadline if it is due at `now`. O(log n). */
  takeDue(now: number): Deadline<Subject> | undefined {
    const first = this.first(now);
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Visits all that are due at `now`, in no particular order. O(their number). */
  due(now: number, visit: (deadline: Deadline<Subject>) => void): void {
    const pending = [0];
    for (let slot = pending.pop(); slot !== undefined; slot = pending.pop()) {
      const deadline = this.#heap[slot];
      if (deadline === undefined || deadline.at > now) continue;
      visit(deadline);
      for (let child = slot * arity + 1; child <= slot * arity + arity; child++) pending.push(child);
    }
  }

  clear(): void {
    for (const deadline of this.#heap) deadline.slot = nowhere;
    this.#heap = [];
  }

  /** Throws if an invariant is broken. O(n). */
  verify(): void {
    this.#heap.forEach((deadline, slot) => {
      if (deadline.slot !== slot) throw new Error(`slot ${slot} is not where its deadline believes`);
      const parent = this.#heap[(slot - 1) >> 2];
      if (slot > 0 && parent !== undefined && parent.at > deadline.at) {
        throw new Error(`slot ${slot} is due before its parent`);
      }
    });
  }

  #slotOf(deadline: Deadline<Subject>): number {
    const { slot } = deadline as Slot<Subject>;
    if (this.#heap[slot] !== deadline) throw new Error("the deadline is not in this queue");
    return slot;
  }

  #rise(deadline: Slot<Subject>, from: number): void {
    const heap = this.#heap;
    let slot = from;
    while (slot > 0) {
      const parent = heap[(slot - 1) >> 2] as Slot<Subject>;
      if (parent.at <= deadline.at) break;
      heap[slot] = parent;
      parent.slot = slot;
      slot = (slot - 1) >> 2;
    }
    heap[slot] = deadline;
    deadline.slot = slot;
  }

  #sink(deadline: Slot<Subject>, from: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let slot = from;
    for (;;) {
      const firstChild = slot * arity + 1;
      if (firstChild >= size) break;
      let child = firstChild;
      const end = Math.min(firstChild + arity, size);
      for (let other = firstChild + 1; other < end; other++) {
        if ((heap[other] as Slot<Subject>).at < (heap[child] as Slot<Subject>).at) child = other;
      }
      const earliest = heap[child] as Slot<Subject>;
      if (earliest.at >= deadline.at) break;
      heap[slot] = earliest;
      earliest.slot = slot;
      slot = child;
    }
    heap[slot] = deadline;
    deadline.slot = slot;
  }
}
