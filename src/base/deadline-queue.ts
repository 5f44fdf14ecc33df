// Deadline queue: subjects by the instant at which they fall due, earliest first.
//
// A 4-ary min-heap in one array; the children of slot s are in slots 4s + 1 to 4s + 4. Each
// deadline knows its slot, so that it can be moved or removed in O(log n): a deadline that is
// refreshed a thousand times is still one entry, and one that is dropped is gone at once.
//
// Invariants
// 1. No deadline is earlier than the one in its parent slot, so slot 0 has the earliest.
// 2. `heap[d.slot] === d` exactly for the deadlines d that are in the queue. A removed deadline
//    keeps its last slot, where this no longer holds: that is how misuse is found.
// Deadlines of the same instant fall due in any order, which the history of the queue determines.

/** A subject and the instant it falls due. The queue owns it; callers hold it to move or remove it. */
export interface Deadline<Subject> {
  /** Milliseconds since the epoch, or of whatever clock the queue's owner uses. */
  readonly at: number;
  readonly subject: Subject;
}

interface Entry<Subject> extends Deadline<Subject> {
  at: number;
  slot: number;
}

export class DeadlineQueue<Subject> {
  #heap: Entry<Subject>[] = [];
  #walking = false;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest instant, Infinity when the queue is empty. O(1). */
  get earliest(): number {
    return this.#heap.length === 0
      ? Number.POSITIVE_INFINITY
      : (this.#heap[0] as Deadline<Subject>).at;
  }

  /** Adds a deadline; `at` is an instant in milliseconds, Infinity for one never due. O(log n). */
  add(subject: Subject, at: number): Deadline<Subject> {
    this.#expectChangeable();
    expectInstant(at);
    const entry: Entry<Subject> = { at, subject, slot: this.#heap.length };
    this.#heap.push(entry);
    siftUp(this.#heap, entry);
    return entry;
  }

  /** Gives a deadline another instant. O(log n). Throws if it is not in this queue. */
  move(deadline: Deadline<Subject>, at: number): void {
    this.#expectChangeable();
    expectInstant(at);
    const entry = this.#own(deadline);
    const earlier = at < entry.at;
    entry.at = at;
    if (earlier) siftUp(this.#heap, entry);
    else siftDown(this.#heap, entry);
  }

  /** Removes a deadline. O(log n). Throws if it is not in this queue. */
  remove(deadline: Deadline<Subject>): void {
    this.#expectChangeable();
    const entry = this.#own(deadline);
    const last = this.#heap.pop() as Entry<Subject>;
    if (last === entry) return;
    last.slot = entry.slot;
    this.#heap[last.slot] = last;
    if (last.at < entry.at) siftUp(this.#heap, last);
    else siftDown(this.#heap, last);
  }

  /** The earliest deadline if its instant is `now` or before; it stays in the queue. O(1). */
  first(now: number): Deadline<Subject> | undefined {
    const first = this.#heap[0];
    return first !== undefined && first.at <= now ? first : undefined;
  }

  /** Removes and returns the earliest deadline if its instant is `now` or before. O(log n). */
  takeDue(now: number): Deadline<Subject> | undefined {
    const first = this.first(now);
    if (first !== undefined) this.remove(first);
    return first;
  }

  /**
   * Visits every deadline whose instant is `now` or before, in no particular order, and leaves it
   * in the queue. `visit` must not change the queue. O(number due).
   */
  due(now: number, visit: (deadline: Deadline<Subject>) => void): void {
    const walkedBefore = this.#walking;
    this.#walking = true;
    try {
      visitDue(this.#heap, 0, now, visit);
    } finally {
      this.#walking = walkedBefore;
    }
  }

  /** Removes all deadlines. */
  clear(): void {
    this.#expectChangeable();
    this.#heap = [];
  }

  /** Throws if an invariant is broken. O(n), for tests and diagnosis. */
  verify(): void {
    for (const [slot, entry] of this.#heap.entries()) {
      if (entry.slot !== slot) {
        throw new Error(
          `DeadlineQueue is damaged: slot ${slot} has an entry of slot ${entry.slot}.`,
        );
      }
      const parent = this.#heap[(slot - 1) >> 2];
      if (parent !== undefined && !(parent.at <= entry.at)) {
        throw new Error(`DeadlineQueue is damaged: slot ${slot} is earlier than its parent.`);
      }
    }
  }

  #own(deadline: Deadline<Subject>): Entry<Subject> {
    const entry = deadline as Entry<Subject>;
    if (this.#heap[entry.slot] !== entry) {
      throw new Error("The deadline is not in this queue: it was removed, taken, or is another's.");
    }
    return entry;
  }

  #expectChangeable(): void {
    if (this.#walking) throw new Error("The queue must not be changed while its due are visited.");
  }
}

function expectInstant(at: number): void {
  if (Number.isNaN(at))
    throw new RangeError("A deadline must be a number of milliseconds, not NaN.");
}

/** Moves `entry` from its slot towards the root until its parent is not later. */
function siftUp<Subject>(heap: Entry<Subject>[], entry: Entry<Subject>): void {
  const at = entry.at;
  let slot = entry.slot;
  while (slot > 0) {
    const parent = heap[(slot - 1) >> 2] as Entry<Subject>;
    if (parent.at <= at) break;
    const freed = parent.slot;
    heap[slot] = parent;
    parent.slot = slot;
    slot = freed;
  }
  heap[slot] = entry;
  entry.slot = slot;
}

/** Moves `entry` from its slot away from the root until no child is earlier. */
function siftDown<Subject>(heap: Entry<Subject>[], entry: Entry<Subject>): void {
  const at = entry.at;
  let slot = entry.slot;
  for (;;) {
    const child = earliestChild(heap, slot);
    if (child === undefined || at <= child.at) break;
    const freed = child.slot;
    heap[slot] = child;
    child.slot = slot;
    slot = freed;
  }
  heap[slot] = entry;
  entry.slot = slot;
}

function earliestChild<Subject>(heap: Entry<Subject>[], slot: number): Entry<Subject> | undefined {
  const start = 4 * slot + 1;
  if (start >= heap.length) return undefined;
  const end = Math.min(start + 4, heap.length);
  let earliest = heap[start] as Entry<Subject>;
  for (let next = start + 1; next < end; next += 1) {
    const entry = heap[next] as Entry<Subject>;
    if (entry.at < earliest.at) earliest = entry;
  }
  return earliest;
}

/** By invariant 1 nothing below a deadline that is not due is due. */
function visitDue<Subject>(
  heap: readonly Entry<Subject>[],
  slot: number,
  now: number,
  visit: (deadline: Deadline<Subject>) => void,
): void {
  const entry = heap[slot];
  if (entry === undefined || !(entry.at <= now)) return;
  visit(entry);
  for (let child = 4 * slot + 1; child <= 4 * slot + 4; child += 1) {
    visitDue(heap, child, now, visit);
  }
}
