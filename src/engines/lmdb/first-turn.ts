// First turn: the write transaction in which a file is opened, and its tables are made if it is new.
//
// A thread of lmdb waits for the file, and the event loop turns meanwhile. Each file that is waited
// for keeps one thread of the pool that Node has for such work.
//
// Invariants
// 1. Nothing is opened or made by a transaction that does not build on the last commit
//    (current-state.ts), or that nobody waits for any more.
// 2. What has been opened is given away when the transaction has been committed, and not before.
// 3. A transaction that has been given up cannot be taken back: it stays under way, does nothing when
//    it begins, and until it has ended the file must not be closed.

import { commitErrorOf } from "./commit-error.js";
import { buildsOnLastCommit, OutdatedState } from "./current-state.js";
import { guardExit } from "./exit-guard.js";
import type { NativeRoot } from "./lmdb-module.js";
import { LockWait, type LockWaitParts } from "./lock-wait.js";
import { wholeTransaction } from "./whole-transaction.js";

export interface FirstTurnParts extends LockWaitParts {
  readonly root: NativeRoot;
  readonly lockedOut: () => Error;
}

export class FirstTurn {
  readonly #parts: FirstTurnParts;
  #isWaiting = false;
  #isGivenUp = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: FirstTurnParts) {
    this.#parts = parts;
  }

  /** Whether the transaction waits until the event loop runs it. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Once the transaction has been given up: resolves when it has ended. */
  get stuck(): Promise<void> | undefined {
    return this.#isGivenUp ? this.#ended : undefined;
  }

  /**
   * Runs `open` in the transaction, once.
   * @throws OutdatedState, what `lockedOut` gives, what `open` throws, and what the commit fails with
   */
  run<Result>(open: () => Result): Promise<Result> {
    const { lockedOut } = this.#parts;
    return new Promise((resolve, reject) => {
      const wait = new LockWait(this.#parts, () => {
        this.#isGivenUp = true;
        reject(lockedOut());
      });
      this.#ended = this.#transact(wait, open, resolve).catch(reject);
    });
  }

  async #transact<Result>(
    wait: LockWait,
    open: () => Result,
    tell: (result: Result) => void,
  ): Promise<void> {
    const { env, root, lastCommit } = this.#parts;
    const endGuard = guardExit(this);
    this.#isWaiting = true;
    let opened: { readonly result: Result } | undefined;
    try {
      await wholeTransaction(root, () => {
        this.#isWaiting = false;
        if (!wait.begin()) return;
        if (!buildsOnLastCommit(root.getWriteTxnId(), lastCommit)) throw new OutdatedState();
        opened = { result: open() };
      });
      if (opened !== undefined) tell(opened.result);
    } catch (cause) {
      throw await commitErrorOf(env.timers, cause);
    } finally {
      this.#isWaiting = false;
      wait.begin();
      endGuard();
    }
  }
}
