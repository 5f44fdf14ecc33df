// Last commit: the number of the newest transaction in the file, read from its two headers.
//
// lmdb tells it too (`getStats`), but by a dozen native calls that end the whole process if the
// worker thread that makes them is terminated meanwhile, and it is asked for before each commit. A
// descriptor of Node's has no such moment, and a terminated worker leaves none of them open.
//
// LMDB writes a header by `pwrite` to the same file, as its last step of a commit, with the write
// lock held: within a write transaction what is read here is what LMDB itself finds in its map.
// Closing the descriptor gives up no lock, because LMDB has all of its locks on the lock file.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { pageBytesAt, readNumber, transactionAt } from "./file-header.js";

export class LastCommit {
  readonly #descriptor: number;
  readonly #number = Buffer.alloc(8);
  readonly #otherHeader: number;

  /** `path` is the file that LMDB has just opened: it has checked the headers, or made them. */
  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    try {
      readSync(this.#descriptor, this.#number, 0, 4, pageBytesAt);
      this.#otherHeader = this.#number.readUInt32LE(0);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Outside a write transaction others may be committing meanwhile. */
  read(): number {
    return Math.max(this.#numberOf(0), this.#numberOf(this.#otherHeader));
  }

  /** Whether another file has taken the place of this one, or it has been removed. */
  get isReplaced(): boolean {
    return fstatSync(this.#descriptor).nlink === 0;
  }

  #numberOf(header: number): number {
    readSync(this.#descriptor, this.#number, 0, 8, header + transactionAt);
    return readNumber(this.#number, 0);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
