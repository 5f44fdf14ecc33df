// Function library: the operations of docs/formats/valkey.md over a store of this process.
//
// What the library in Lua does on a server is done here by the operations of the store itself: this
// and the bodies beside it translate arguments and replies, and nothing else.
//
// Every call is atomic, except that a bucket of a filter is cleared in steps. A call that is refused
// has changed nothing.

import { isKvError, UnknownError } from "../../base/errors.js";
import type { Awaitable, Transaction, View } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import type { ValueFormat } from "../../kv/serialization/format.js";
import { editionOf } from "../../operations/array-editions.js";
import { LibraryError } from "../../remote/connection.js";
import { type OperationKind, operationTable } from "../../remote/operation-table.js";
import type { Pushed, Serving } from "../../store/direct.js";
import type { Argument } from "../resp/argument.js";
import { arrayBodies, arrayOperations } from "./bodies/arrays.js";
import { atomicBodies } from "./bodies/atomics.js";
import { claimBodies } from "./bodies/claims.js";
import { dumpBodies } from "./bodies/dumps.js";
import { loadBodies } from "./bodies/loads.js";
import { pieceBodies } from "./bodies/pieces.js";
import { queryBodies } from "./bodies/queries.js";
import { upkeepBodies } from "./bodies/upkeep.js";
import { valueBodies } from "./bodies/values.js";
import { type FunctionBody, flag } from "./body.js";
import { FunctionCall } from "./function-call.js";
import type { FunctionHost, ServedStore } from "./function-host.js";
import type { FunctionReply } from "./function-reply.js";
import { Loads } from "./loads.js";
import { OnceRecords } from "./once.js";
import { libraryError, refusal } from "./refusals.js";
import { StoredForms, Unread } from "./stored-forms.js";

export interface FunctionOptions {
  readonly env: Env;
  /** That of the served store. */
  readonly format: ValueFormat;
  /**
   * What tokens are above when they are granted: the clock, so that none comes again after data have
   * been lost; default 0.
   */
  readonly tokenBound?: () => number;
  /** What is remembered of calls that may come again; default 64 MiB. */
  readonly onceBytesMax?: number;
  /** What a restore over a connection may bring; default 1 GiB. */
  readonly loadBytesMax?: number;
}

/** @throws LibraryError before it has changed anything. */
export interface SharedRun {
  readonly kind: "read" | "write";
  readonly ranked: boolean;
  /** In a transaction if it writes. */
  readonly run: (view: View, pushed: Pushed) => FunctionReply;
}

/** Writes that have looked at everything that may refuse them before they change anything. */
const checkingFirst: ReadonlySet<string> = new Set([
  ...["set", "delete", "fetch_remove", "expire", "persist", "increment", "get_or_set", "swap"],
  ...["compare_swap", "compare_delete", "release_claims", "complete_claims", "renew_claims"],
  ...["push", "pop", "delete_array", "add_member", "check_then_add_member", "delete_member"],
]);

type ReadBody = Extract<FunctionBody, { kind: "read" }>;
type WriteBody = Extract<FunctionBody, { kind: "write" }>;
type Attempt = (run: () => FunctionReply) => FunctionReply;

const defaults = { onceBytesMax: 67_108_864, loadBytesMax: 1_073_741_824 } as const;

const bodies: ReadonlyMap<string, FunctionBody> = new Map(
  Object.entries({
    ...valueBodies,
    ...atomicBodies,
    ...queryBodies,
    ...claimBodies,
    ...arrayBodies,
    ...dumpBodies,
    ...pieceBodies,
    ...loadBodies,
    ...upkeepBodies,
  }),
);

const kinds: Readonly<Record<string, OperationKind | undefined>> = operationTable;

export class FunctionLibrary {
  readonly #forms: StoredForms;
  readonly #host: FunctionHost;
  readonly #once: OnceRecords;

  constructor(store: ServedStore, options: FunctionOptions) {
    const { env, format, tokenBound = () => 0 } = options;
    const { onceBytesMax, loadBytesMax } = { ...defaults, ...options };
    this.#forms = new StoredForms(format);
    this.#once = new OnceRecords(env, onceBytesMax);
    this.#host = {
      store,
      env,
      loads: new Loads(env, loadBytesMax),
      sign: "",
      changesBefore: env.clock.now() * 1_000,
      tokenBound,
      arrayEdition: editionsOf(store, env),
    };
  }

  /**
   * Carries an operation out, by its name behind `anykv_`. On engines that need not wait, the reply
   * comes at once; otherwise when what has been written is as durable as the store promises.
   *
   * @throws LibraryError (or rejects with it) for whatever is refused.
   */
  call(operation: string, args: readonly Argument[]): Awaitable<FunctionReply> {
    if (operation.startsWith("once")) return this.#callOnce(operation, args);
    const body = bodies.get(operation);
    if (body === undefined) throw refusal("UNKNOWN_OPERATION", operation);
    const concerns = concernsOf(operation);
    const answer = (error: unknown): FunctionReply => {
      if (error instanceof Unread) return error.reply;
      throw libraryError(error, concerns);
    };
    try {
      const reply = this.#run(body, new FunctionCall(operation, args, this.#forms));
      return reply instanceof Promise ? reply.catch(answer) : reply;
    } catch (error) {
      return answer(error);
    }
  }

  /**
   * How an operation runs in a transaction that it shares with others, where nothing is taken back for
   * it alone; undefined for operations that need one of their own.
   */
  shared(operation: string, args: readonly Argument[]): SharedRun | undefined {
    const body = bodies.get(operation);
    if (body === undefined || body.kind === "steps") return undefined;
    if (body.kind === "write" && !checkingFirst.has(operation)) return undefined;
    const { kind, ranked } = body;
    const run = (view: View, pushed: Pushed): FunctionReply => {
      try {
        const call = new FunctionCall(operation, args, this.#forms);
        const reply = body.run(view as Transaction, call, this.#host);
        for (const key of call.pushed) pushed(key);
        return reply;
      } catch (error) {
        if (error instanceof Unread) return error.reply;
        throw isKvError(error) ? libraryError(error, concernsOf(operation)) : error;
      }
    };
    return { kind, ranked, run };
  }

  /** Lets go of what it remembers. The store is the caller's. */
  close(): void {
    this.#host.loads.end();
  }

  #run(body: FunctionBody, call: FunctionCall): Awaitable<FunctionReply> {
    if (body.kind === "steps") return body.run(call, this.#host);
    // What is none of the library's errors would count as a failure of the file of an engine.
    let thrown: unknown;
    const attempt = (run: () => FunctionReply): FunctionReply => {
      thrown = undefined;
      try {
        return run();
      } catch (error) {
        thrown = error;
        throw error instanceof LibraryError || error instanceof Unread ? takenBack(error) : error;
      }
    };
    const fail = (error: unknown): never => {
      throw thrown ?? error;
    };
    try {
      const reply =
        body.kind === "write" ? this.#write(body, call, attempt) : this.#read(body, call, attempt);
      return reply instanceof Promise ? reply.catch(fail) : reply;
    } catch (error) {
      return fail(error);
    }
  }

  #read({ run, ranked }: ReadBody, call: FunctionCall, attempt: Attempt): Awaitable<FunctionReply> {
    const { direct } = this.#host.store;
    const operation = (view: View): FunctionReply => attempt(() => run(view, call, this.#host));
    return ranked ? direct.query(operation, undefined) : direct.read(operation, undefined);
  }

  /** Whoever waits for elements is given them in the transaction that has brought them. */
  #write(
    { run, ranked }: WriteBody,
    call: FunctionCall,
    attempt: Attempt,
  ): Awaitable<FunctionReply> {
    const { direct } = this.#host.store;
    let serving: Serving | undefined;
    const operation = (transaction: Transaction): FunctionReply => {
      serving = undefined;
      call.pushed = [];
      const reply = attempt(() => run(transaction, call, this.#host));
      const awaited = call.pushed.filter((key) => direct.isAwaited(key));
      if (awaited.length > 0) serving = direct.serve(transaction, awaited);
      return reply;
    };
    const settle = (reply: FunctionReply): FunctionReply => {
      serving?.settle();
      return reply;
    };
    const fail = (error: unknown): never => {
      serving?.fail(error);
      throw error;
    };
    try {
      const reply = ranked
        ? direct.allocate(operation, undefined)
        : direct.write(operation, undefined);
      return reply instanceof Promise ? reply.then(settle, fail) : settle(reply);
    } catch (error) {
      return fail(error);
    }
  }

  #callOnce(operation: string, args: readonly Argument[]): Awaitable<FunctionReply> {
    const call = new FunctionCall(operation, args, this.#forms);
    const client = call.text(0);
    if (operation === "once_end") return flag(this.#once.end(client));
    if (operation === "once_begin") {
      this.#once.begin(client);
      return 1;
    }
    if (operation === "once_forget") {
      this.#once.forget(
        client,
        call.groups(1, 1, (index) => call.count(index)),
      );
      return 1;
    }
    const [sequence, inner] = [call.count(1), call.text(2)];
    return this.#once.call(client, sequence, () => {
      const kind = kinds[inner];
      const isAllowed = operation === "once" || (operation === "once_free" && kind === "free");
      if (!isAllowed || inner.startsWith("once")) throw refusal("UNKNOWN_OPERATION", inner);
      return this.call(inner, call.rest(3));
    });
  }
}

/** Other processes do not tell here what they change: then every change of the store counts. */
function editionsOf({ direct, capabilities }: ServedStore, { clock }: Env): (id: number) => string {
  const isShared = capabilities.sharing === "machine";
  const life = clock.now().toString(36);
  return (id) => `${life} ${isShared ? direct.changes : editionOf(id)}`;
}

function concernsOf(operation: string): "arrays" | "values" {
  return arrayOperations.has(operation) ? "arrays" : "values";
}

function takenBack(cause: Error): UnknownError {
  return new UnknownError("the call is refused", { cause });
}

/** Whether there is such an operation, and whether it changes nothing that anybody can observe. */
export function natureOf(operation: string): "unknown" | "read" | "write" {
  if (operation === "version") return "read";
  if (operation.startsWith("once")) return onceOperations.has(operation) ? "write" : "unknown";
  if (!bodies.has(operation)) return "unknown";
  const kind = kinds[operation] ?? "read";
  return kind === "read" || kind === "reap" ? "read" : "write";
}

const onceOperations: ReadonlySet<string> = new Set([
  "once",
  "once_free",
  "once_begin",
  "once_end",
  "once_forget",
]);
