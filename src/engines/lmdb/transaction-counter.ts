// Transaction counter: which number the next write transaction gets, kept by LMDB in the lock file.
//
// Whoever opens a file sets the counter to what it has read in the header shortly before. If another
// process commits in between, the counter is behind, and lmdb 3.5 does nothing about that: the next
// writer would take a number that has been given, begin at an older state, and so undo a transaction
// that was acknowledged. Hence
// 1. every write transaction asks `isBehind` before it changes anything, and changes nothing if so;
// 2. then nobody can commit, so that the header stands still, until somebody has called `mend`.
// Two that mend at once may set the counter back once more; the next writer notices that as well.
//
// Readers follow the counter too: until it is mended they may see the state before the last one.

import { DiskStoreWriteError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import type { NativeRoot } from "./lmdb-module.js";

// The lock file begins with a magic number and the format, 4 bytes each; the counter follows.
const magic = 0xbeefc0de;
const counterOffset = 8;

// Closing any handle on a lock file takes LMDB's locks from the whole process, so these stay open as
// long as it lives.
const handlesForLife: Promise<FileHandle>[] = [];

export class TransactionCounter {
  readonly #env: Env;
  readonly #root: NativeRoot;
  readonly #lockPath: string;
  #opening: Promise<FileHandle> | undefined;

  constructor(env: Env, root: NativeRoot, lockPath: string) {
    this.#env = env;
    this.#root = root;
    this.#lockPath = lockPath;
  }

  /** Within a write transaction that has changed nothing yet. */
  isBehind(): boolean {
    return this.#root.getWriteTxnId() <= this.#committed;
  }

  /** The last transaction according to the header. */
  get #committed(): number {
    return this.#root.env.info().lastTxnId;
  }

  /** Outside of transactions. */
  async mend(): Promise<void> {
    const handle = await this.#handle();
    const head = Buffer.alloc(counterOffset);
    await handle.read(head, 0, counterOffset, 0);
    if (head.readUInt32LE(0) !== magic) {
      throw new DiskStoreWriteError(`${this.#lockPath} is not a lock file of LMDB`);
    }
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64LE(BigInt(this.#committed));
    await handle.write(counter, counterOffset);
  }

  #handle(): Promise<FileHandle> {
    if (this.#opening === undefined) {
      this.#opening = this.#env.files.open(this.#lockPath, "write");
      handlesForLife.push(this.#opening);
    }
    return this.#opening;
  }
}
