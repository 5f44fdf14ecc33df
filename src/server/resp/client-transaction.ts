// Client transaction: what a client has queued between MULTI and EXEC, and the keys that it watches.

import type { Awaitable } from "../../engine/engine.js";
import { byteLengthOf } from "./argument.js";
import { CommandError, type DataBody } from "./command.js";
import type { Encoded } from "./encoder.js";
import { errorReplyOf } from "./error-replies.js";
import type { Call, Executor } from "./executor.js";
import type { Request } from "./request.js";
import type { Session } from "./session.js";
import { WatchedKeys } from "./watched-keys.js";

/** Commands that are carried out at once although a transaction is open. */
export const executedInTransaction: ReadonlySet<string> = new Set([
  "EXEC",
  "DISCARD",
  "MULTI",
  "WATCH",
  "QUIT",
  "RESET",
]);

export class ClientTransaction {
  readonly #session: Session;
  readonly #executor: Executor;
  readonly #queue: Request[] = [];
  #bytes = 0;
  #watched: WatchedKeys | undefined;
  #isAborted = false;
  isOpen = false;

  constructor(session: Session, executor: Executor) {
    this.#session = session;
    this.#executor = executor;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get watched(): number {
    return this.#watched?.size ?? 0;
  }

  begin(): void {
    this.isOpen = true;
  }

  /** @throws CommandError when it holds too much already. */
  queue(request: Request): void {
    const { requestBytesMax, argumentsMax } = this.#session.server.settings;
    for (const argument of request.args) this.#bytes += byteLengthOf(argument);
    if (this.#bytes > requestBytesMax || this.#queue.length >= argumentsMax) {
      this.#queue.length = 0;
      throw new CommandError("ERR the transaction is too large");
    }
    this.#queue.push(request);
  }

  /** One of its commands has been refused: EXEC will refuse all of them. */
  abort(): void {
    if (this.isOpen) this.#isAborted = true;
  }

  discard(): void {
    this.isOpen = false;
    this.#isAborted = false;
    this.#queue.length = 0;
    this.#bytes = 0;
    this.unwatch();
  }

  watch(keys: readonly string[]): Awaitable<Encoded> {
    this.#watched ??= new WatchedKeys();
    const done = this.#executor.watch(this.#watched, keys);
    const { ok } = this.#session.encode;
    return done instanceof Promise ? done.then(() => ok) : ok;
  }

  unwatch(): void {
    this.#watched = undefined;
  }

  execute(): Awaitable<Encoded> {
    const { encode } = this.#session;
    const isAborted = this.#isAborted;
    const requests = [...this.#queue];
    const watched = this.#watched ?? new WatchedKeys();
    this.discard();
    if (isAborted) {
      return encode.error("EXECABORT Transaction discarded because of previous errors.");
    }
    return this.#execute(requests, watched);
  }

  #execute(requests: readonly Request[], watched: WatchedKeys): Awaitable<Encoded> {
    const calls = requests.filter(isOfData);
    try {
      const replies = this.#executor.transaction(calls, watched);
      if (!(replies instanceof Promise)) return this.#arrayOf(requests, replies);
      return replies.then(
        (settled) => this.#arrayOf(requests, settled),
        (error) => this.#failed(error),
      );
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): Encoded {
    return this.#session.encode.error(errorReplyOf(error));
  }

  #arrayOf(requests: readonly Request[], replies: Encoded[] | undefined): Awaitable<Encoded> {
    const { encode } = this.#session;
    if (replies === undefined) return encode.nilArray;
    if (replies.length === requests.length) return encode.array(replies);
    return this.#mixed(requests, replies);
  }

  /** Commands that concern the connection or the server come behind those that concern data. */
  async #mixed(requests: readonly Request[], dataReplies: readonly Encoded[]): Promise<Encoded> {
    const { encode } = this.#session;
    const replies: Encoded[] = [];
    let data = 0;
    for (const { body, args } of requests) {
      if (body.kind !== "session") replies.push(dataReplies[data++] as Encoded);
      else replies.push(await this.#contained(() => body.run(this.#session, args)));
    }
    return encode.array(replies);
  }

  async #contained(run: () => Awaitable<Encoded>): Promise<Encoded> {
    try {
      return await run();
    } catch (error) {
      return this.#failed(error);
    }
  }
}

function isOfData(request: Request): request is Request & Call<DataBody> {
  return request.body.kind !== "session";
}
