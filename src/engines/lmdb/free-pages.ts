// Free pages: the lists in which LMDB keeps the pages that a transaction gave up.
//
//   numbers of 8 bytes: how many follow, then for each of them
//   0            nothing
//   n            page n
//   -k, then n   the pages n to n + k - 1

export class MalformedFreeList extends Error {}

const numberBytes = 8;

/** @throws MalformedFreeList */
export function forEachFreeRun(list: Buffer, visit: (first: number, pages: number) => void): void {
  const numberAt = (index: number): number => {
    if ((index + 1) * numberBytes > list.length) throw new MalformedFreeList();
    const number = Number(list.readBigInt64LE(index * numberBytes));
    if (!Number.isSafeInteger(number)) throw new MalformedFreeList();
    return number;
  };
  const count = numberAt(0);
  if (count < 0) throw new MalformedFreeList();
  for (let index = 1; index <= count; index++) {
    const number = numberAt(index);
    if (number > 0) visit(number, 1);
    if (number < 0) visit(numberAt(++index), -number);
  }
}
