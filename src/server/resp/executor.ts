// Executor: how the commands of one connection run on the store.
//
// Invariants
// 1. The reply of a command that writes is given when its transaction is as durable as the store
//    promises, and not before.
// 2. A command that fails has changed nothing, also where it shares a transaction with others.
// 3. Whoever waits for elements is served by the transaction that adds them.
//
// Some engines answer writes at once: there every command has a transaction of its own. Others have
// to be waited for, which would cost a pipeline a sync for every command: there commands that have
// been received together share one (`runTogether`). A transaction in which somebody who waits is
// served ends behind the command that has added the elements, so that later ones come too late.

import { InternalStoreError, isKvError } from "../../base/errors.js";
import type { Awaitable, Transaction, View } from "../../engine/engine.js";
import type { DirectAccess, Pushed, Serving } from "../../store/direct.js";
import type { Argument } from "./argument.js";
import {
  type CommandContext,
  CommandError,
  type DataBody,
  type ReadBody,
  type TakeBody,
  type WriteBody,
} from "./command.js";
import type { Encoded, Encoder } from "./encoder.js";
import { containedError, errorReplyOf } from "./error-replies.js";
import type { ScanCursors } from "./scan-cursors.js";
import type { ValueCodec } from "./value-codec.js";
import type { WatchedKeys } from "./watched-keys.js";

// Replies of one transaction beyond which no further command joins it.
const togetherBytesMax = 1_048_576;

/** A command with its arguments. */
export interface Call<B extends DataBody = DataBody> {
  readonly body: B;
  readonly args: readonly Argument[];
}

/** Replies of the first calls of several; the others have not been carried out. */
export interface Replies {
  readonly text: Encoded;
  readonly calls: number;
}

class Context implements CommandContext {
  encode: Encoder;
  readonly values: ValueCodec;
  readonly cursors: ScanCursors;
  readonly pushed: Pushed;

  constructor(encode: Encoder, values: ValueCodec, cursors: ScanCursors, pushed: Pushed) {
    this.encode = encode;
    this.values = values;
    this.cursors = cursors;
    this.pushed = pushed;
  }
}

export class Executor {
  readonly #direct: DirectAccess;
  readonly #context: Context;
  // Arrays that have got elements for which somebody waits, in the transaction under way.
  #awaited: string[] = [];
  #serving: Serving | undefined;
  /** Whether the last write had to be waited for. */
  isAwaiting = false;

  constructor(direct: DirectAccess, values: ValueCodec, cursors: ScanCursors, encode: Encoder) {
    this.#direct = direct;
    this.#context = new Context(encode, values, cursors, (key) => {
      if (direct.isAwaited(key)) this.#awaited.push(key);
    });
  }

  set encode(encode: Encoder) {
    this.#context.encode = encode;
  }

  /** Carries one command out; never throws or rejects. */
  run(call: Call<ReadBody | WriteBody>): Awaitable<Encoded> {
    try {
      const reply = call.body.kind === "read" ? this.#read(call) : this.#write(call);
      return reply instanceof Promise ? reply.catch(this.#failed) : reply;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #read(call: Call): Awaitable<Encoded> {
    const { query, read } = this.#direct;
    return (call.body as ReadBody).ranked === true
      ? query(this.#runRead, call)
      : read(this.#runRead, call);
  }

  #write(call: Call): Awaitable<Encoded> {
    const { allocate, write } = this.#direct;
    const reply =
      (call.body as WriteBody).ranked === true
        ? allocate(this.#runWrite, call)
        : write(this.#runWrite, call);
    return this.#settled(reply);
  }

  readonly #failed = (error: unknown): Encoded => this.#context.encode.error(errorReplyOf(error));

  /** Tells those who have been served what has become of it. */
  #settled<Result>(result: Awaitable<Result>): Awaitable<Result> {
    if (result instanceof Promise) {
      this.isAwaiting = true;
      return result.then(
        (settled) => {
          this.#takeServing()?.settle();
          return settled;
        },
        (error) => {
          this.#takeServing()?.fail(error);
          throw error;
        },
      );
    }
    this.isAwaiting = false;
    if (this.#serving !== undefined) this.#takeServing()?.settle();
    return result;
  }

  #takeServing(): Serving | undefined {
    const serving = this.#serving;
    this.#serving = undefined;
    return serving;
  }

  readonly #runRead = (view: View, { body, args }: Call): Encoded => {
    try {
      return (body as ReadBody).run(view, args, this.#context);
    } catch (error) {
      // Engines would take it for a failure of their files.
      if (error instanceof CommandError) return this.#context.encode.error(error.message);
      throw containedError(error);
    }
  };

  readonly #runWrite = (transaction: Transaction, call: Call): Encoded => {
    if (this.#awaited.length > 0) this.#awaited = [];
    const reply = this.#runContained(transaction, call);
    this.#serve(transaction);
    return reply;
  };

  /** What a client is told of is a reply; other errors undo the transaction. */
  #runContained(transaction: Transaction, { body, args }: Call): Encoded {
    const context = this.#context;
    try {
      if (body.kind === "take") {
        return (
          body.run(transaction, args, context) ?? (body.noneAtOnce ?? body.none)(context.encode)
        );
      }
      return body.run(transaction, args, context);
    } catch (error) {
      if (error instanceof CommandError) return context.encode.error(error.message);
      throw containedError(error);
    }
  }

  #serve(transaction: Transaction): void {
    if (this.#awaited.length === 0) return;
    this.#serving = this.#direct.serve(transaction, this.#awaited);
    this.#awaited = [];
  }

  /** Carries several commands out in one transaction, if it can; never rejects. */
  runTogether(calls: readonly Call[]): Awaitable<Replies> {
    const access = calls.some(isRanked) ? this.#direct.allocate : this.#direct.write;
    try {
      const replies = this.#settled(access(this.#runSeveral, calls));
      if (!(replies instanceof Promise)) return replies;
      return replies.catch((error) => this.#togetherFailed(calls, error));
    } catch (error) {
      return this.#togetherFailed(calls, error);
    }
  }

  readonly #runSeveral = (transaction: Transaction, calls: readonly Call[]): Replies => {
    this.#awaited = [];
    let text = "";
    let count = 0;
    for (const call of calls) {
      text += this.#runOneOfSeveral(transaction, call);
      count++;
      if (this.#awaited.length > 0 || text.length > togetherBytesMax) break;
    }
    this.#serve(transaction);
    return { text, calls: count };
  };

  #runOneOfSeveral(transaction: Transaction, call: Call): Encoded {
    try {
      return this.#runContained(transaction, call);
    } catch (error) {
      // These have been thrown before anything was written.
      if (isKvError(error) && !(error instanceof InternalStoreError)) return this.#failed(error);
      throw error;
    }
  }

  #togetherFailed(calls: readonly Call[], error: unknown): Awaitable<Replies> {
    const [first] = calls;
    // One of them has brought the others down: on their own these can be carried out.
    if (error instanceof InternalStoreError && calls.length > 1 && first !== undefined) {
      const alone = this.run(first as Call<ReadBody | WriteBody>);
      if (alone instanceof Promise) return alone.then((text) => ({ text, calls: 1 }));
      return { text: alone, calls: 1 };
    }
    return { text: this.#failed(error).repeat(calls.length), calls: calls.length };
  }

  /**
   * All of them in one transaction: an array of their replies, or nil if a watched key has changed.
   * @throws what has undone the transaction.
   */
  transaction(calls: readonly Call[], watched: WatchedKeys): Awaitable<Encoded[] | undefined> {
    const isRankedOne = calls.some(isRanked);
    if (calls.every(({ body }) => body.kind === "read")) {
      const access = isRankedOne ? this.#direct.query : this.#direct.read;
      return access((view) => {
        if (watched.isChanged(view)) return undefined;
        return calls.map((call) => this.#runOneOfSeveral(view as Transaction, call));
      }, undefined);
    }
    const access = isRankedOne ? this.#direct.allocate : this.#direct.write;
    return this.#settled(
      access((transaction) => {
        this.#awaited = [];
        if (watched.isChanged(transaction)) return undefined;
        const replies = calls.map((call) => this.#runOneOfSeveral(transaction, call));
        this.#serve(transaction);
        return replies;
      }, undefined),
    );
  }

  /** Waits for what one of the arrays gets; never rejects. */
  async take(call: Call<TakeBody>, signal: AbortSignal): Promise<Encoded> {
    const { body, args } = call;
    const { values, cursors, encode } = this.#context;
    try {
      const { keys, timeoutMs } = body.plan(args);
      const reply = await this.#direct.wait({
        keys,
        timeoutMs: timeoutMs === 0 ? undefined : timeoutMs,
        signals: [signal],
        take: (transaction, pushed) => {
          try {
            return body.run(transaction, args, { encode, values, cursors, pushed });
          } catch (error) {
            throw containedError(error);
          }
        },
      });
      return reply ?? body.none(encode);
    } catch (error) {
      return this.#failed(error);
    }
  }

  watch(watched: WatchedKeys, keys: readonly string[]): Awaitable<void> {
    return this.#direct.read((view) => watched.add(view, keys), undefined);
  }
}

function isRanked({ body }: Call): boolean {
  return body.kind !== "take" && body.ranked === true;
}
