// Array editions: numbers that tell whether the elements of an array may have changed between two
// looks at it. Spans alone do not: what is popped and pushed again leaves the same span.
//
// Many arrays, also of several stores, share a number. So it may rise for the sake of another array,
// and never fails to rise when a transaction of this process has changed the elements. Nothing is
// stored, and nothing grows with the arrays.

const slots = 4_096;

const editions = new Float64Array(slots);
let all = 0;

/** To be called inside the transaction that changes elements of the array with this id. */
export function touchArray(id: number): void {
  const slot = id & (slots - 1);
  editions[slot] = (editions[slot] as number) + 1;
}

/** For content that has come in another way than by transactions. */
export function touchAllArrays(): void {
  all++;
}

export function editionOf(id: number): number {
  return all + (editions[id & (slots - 1)] as number);
}
