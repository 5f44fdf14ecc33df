// Valkey connection: calls by name, through a client of iovalkey.
//
// What becomes of a call whose connection breaks
//   not written yet                         it waits for the next connection
//   written, `isRead` or sent as `once`     it waits as well, and is sent again (once-calls.ts)
//   written, anything else                  OutcomeUnknownError
// A refusal means that nothing has happened: those that pass by themselves (a server that loads, a
// slot that moves, a cluster that chooses a new primary) are waited out; a library that is missing is
// loaded; all others are typed errors. Whatever waits is given up when its time is over.

import { isKvError, ServerUnsuitableError, StoreClosedError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import {
  type Call,
  type Connection,
  LibraryError,
  type Reply,
  type ServerFacts,
} from "../connection.js";
import type { Library } from "../library.js";
import type { Operation } from "../operation-table.js";
import { crc16, partitionTag, placedBy } from "../partitions.js";
import { type ErrorParts, reasonFor, verdictOn } from "./call-errors.js";
import { CallTimes } from "./call-times.js";
import { CallEncoder, type CallForm, type CallNames } from "./encode-call.js";
import type { LibraryForm } from "./library-loader.js";
import type { Link } from "./link.js";
import { loadEverywhere } from "./load-everywhere.js";
import { OnceCalls, type OnceSender, type Ticket } from "./once-calls.js";
import { Attempt, type CallOwner, PendingCall } from "./pending-call.js";
import {
  causeOf,
  isFunctionMissing,
  isPassing,
  isReplyError,
  isScriptMissing,
  replyCode,
  serverError,
} from "./server-errors.js";
import { WaitingCalls } from "./waiting-calls.js";

export interface ConnectionParts extends ErrorParts {
  readonly env: Pick<Env, "clock" | "random" | "timers">;
  readonly link: Link;
  readonly names: CallNames;
  readonly library: Library;
  readonly form: LibraryForm;
  readonly server: ServerFacts;
}

/** Until a call that was refused for the moment is sent again. */
const pauseMs = 50;
/** How long closing waits for what is only a favour to the server. */
const endMs = 500;
/** How often the library is loaded for one call. */
const loadsMax = 5;
const clusterSlots = 16_384;
/** What a store is opened with. */
const openingOperations: ReadonlySet<Operation> = new Set<Operation>(["inspect", "open"]);

export class ValkeyConnection implements Connection, CallOwner, OnceSender {
  readonly partitions: number;
  readonly server: ServerFacts;
  readonly #parts: ConnectionParts;
  readonly #encoder: CallEncoder;
  readonly #slots: readonly number[];
  readonly #times: CallTimes;
  readonly #once: OnceCalls | undefined;
  readonly #waiting = new WaitingCalls();
  readonly #listeners: (() => void)[] = [];
  #form: LibraryForm;
  #isOpen = false;
  #isBeginning = false;
  #isPausing = false;
  #loading: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: ConnectionParts) {
    const { env, names, library, link, commandTimeoutMs, retryWrites } = parts;
    this.#parts = parts;
    this.partitions = names.partitions;
    this.server = parts.server;
    this.#form = parts.form;
    this.#encoder = new CallEncoder(names, library.name);
    this.#slots = slotsOf(names);
    this.#times = new CallTimes(env, commandTimeoutMs, (call) => this.#expired(call));
    this.#once = retryWrites ? new OnceCalls(env, names.partitions, this) : undefined;
    link.opened();
    link.onUp = () => this.#up();
    link.onEnd = () => this.#ended();
    // Clients may keep what they have written until they connect again, or forget it then.
    link.onDown = () => {
      for (const { attempt } of this.#times.underway()) attempt?.lose();
    };
  }

  get hasEnded(): boolean {
    return this.#parts.link.hasEnded;
  }

  call(call: Call): Promise<Reply> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    const isOpening = !this.#isOpen && openingOperations.has(call.operation);
    const pending = isOpening ? this.#pend(call, this.#openingDeadline()) : this.#pend(call);
    if (this.#once === undefined || isOpening || this.#once.admit(pending)) this.dispatch(pending);
    return pending.promise;
  }

  async opened(): Promise<void> {
    const { env, openBy } = this.#parts;
    this.#isBeginning = true;
    try {
      await this.#once?.begin(() => env.clock.monotonic() < openBy);
    } finally {
      this.#isBeginning = false;
    }
    this.#isOpen = true;
  }

  begin(call: Call): Promise<Reply> {
    const pending = this.#isBeginning
      ? this.#pend(call, this.#openingDeadline())
      : this.#pend(call);
    this.dispatch(pending);
    return pending.promise;
  }

  fence(call: Call, ticket: Ticket): void {
    const pending = this.#pend(call);
    pending.ticket = ticket;
    pending.isFence = true;
    pending.promise.catch(() => {});
    this.dispatch(pending);
  }

  // Whatever is under way already must not be given up later: CallTimes.
  #pend(call: Call, until = this.#times.deadline()): PendingCall {
    const pending = new PendingCall(call, this.#slots[call.partition] as number, until);
    this.#times.add(pending);
    return pending;
  }

  #openingDeadline(): number {
    return Math.min(this.#times.deadline(), this.#parts.openBy);
  }

  dispatch(pending: PendingCall): void {
    const { link } = this.#parts;
    const isLast = this.#closing !== undefined && !link.isUp;
    if (link.isUp && !this.#waiting.has(pending.call.partition)) this.#send(pending);
    else if (link.hasEnded || isLast) this.#giveUp(pending);
    else this.#waiting.add(pending);
  }

  onReconnect(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { link } = this.#parts;
    if (!link.isUp) {
      for (const pending of [...this.#waiting.take(), ...(this.#once?.queued() ?? [])]) {
        this.#giveUp(pending);
      }
    }
    await this.#times.idle();
    await this.#end();
    await link.hangUp();
  }

  /** The server need not keep answers for a client that asks for nothing any more. */
  async #end(): Promise<void> {
    if (this.#once === undefined || !this.#parts.link.isUp) return;
    const until = Math.min(this.#times.deadline(), this.#parts.env.clock.monotonic() + endMs);
    for (const [partition, client] of this.#once.begun()) {
      const call: Call = { operation: "once_end", partition, args: [client], isRead: false };
      const pending = this.#pend(call, until);
      pending.promise.catch(() => {});
      this.dispatch(pending);
    }
    await this.#times.idle();
  }

  #send(pending: PendingCall): void {
    const payload = this.#encoder.encode(pending.form, this.#formOf(pending));
    const attempt = new Attempt(pending, payload, this);
    pending.attempt = attempt;
    this.#parts.link.send(attempt);
  }

  #formOf(pending: PendingCall): CallForm {
    if (this.#form === "functions") return { kind: "function" };
    const { script, scriptSha1 } = this.#parts.library;
    if (!pending.needsSource) return { kind: "sha1", sha1: scriptSha1 };
    return { kind: "source", source: script };
  }

  answered(pending: PendingCall, reply: Reply): void {
    if (!this.#times.delete(pending)) return;
    pending.resolve(reply);
    this.#once?.settled(pending, "answered", reply);
  }

  failed(pending: PendingCall, error: Error, wasLost: boolean): void {
    pending.attempt = undefined;
    if (isReplyError(error)) {
      this.#refused(pending, error);
      return;
    }
    if (wasLost && !pending.call.isRead) {
      pending.isUncertain = true;
      if (!pending.isRepeatable) {
        this.reject(pending, error);
        return;
      }
    }
    this.#parts.link.refresh();
    this.#wait(pending, error);
  }

  #refused(pending: PendingCall, error: Error): void {
    const { at, link } = this.#parts;
    if (error.message.startsWith("ANYKV_")) {
      this.#refusedByLibrary(pending, error);
    } else if (isFunctionMissing(error)) {
      this.#missing(pending, error);
    } else if (isScriptMissing(error) && !pending.needsSource) {
      pending.needsSource = true;
      this.#send(pending);
    } else if (isPassing(error)) {
      this.#wait(pending, error);
    } else {
      if (replyCode(error) === "READONLY") link.renew();
      this.reject(pending, serverError(error, at));
    }
  }

  #refusedByLibrary(pending: PendingCall, error: Error): void {
    const code = replyCode(error);
    if (code === "ANYKV_SUPERSEDED") pending.isUncertain = true;
    if (code === "ANYKV_NOT_BEGUN" && !pending.isUncertain) {
      this.#once?.refused(pending);
    } else if (code === "ANYKV_SUPERSEDED" || code === "ANYKV_NOT_BEGUN") {
      this.reject(pending, error);
    } else if (this.#times.delete(pending)) {
      pending.reject(new LibraryError(error.message));
      this.#once?.settled(pending, "refused");
    }
  }

  /** Nothing has happened: the library is loaded, everywhere, and the call sent again. */
  #missing(pending: PendingCall, error: Error): void {
    if (++pending.loads > loadsMax) {
      const hint = "look for who takes it away: FUNCTION FLUSH, FUNCTION DELETE";
      const message = `${this.#parts.at}: the function library vanishes as soon as it is loaded`;
      this.reject(pending, new ServerUnsuitableError(message, { hint, cause: causeOf(error) }));
      return;
    }
    this.#loading ??= this.#load();
    this.#loading.then(
      () => this.#wait(pending, error),
      (reason: Error) =>
        isKvError(reason) ? this.reject(pending, reason) : this.#wait(pending, reason),
    );
  }

  async #load(): Promise<void> {
    const { link, library, at } = this.#parts;
    try {
      this.#form = await loadEverywhere(link, library);
    } catch (error) {
      throw isReplyError(error) && !isPassing(error) ? serverError(error, at) : error;
    } finally {
      this.#loading = undefined;
    }
  }

  /** Has the call sent again after a pause, or when a connection stands again. */
  #wait(pending: PendingCall, reason: Error): void {
    pending.lastError = reason;
    if (this.#parts.link.hasEnded) {
      this.#giveUp(pending);
      return;
    }
    this.#waiting.add(pending);
    if (this.#isPausing) return;
    this.#isPausing = true;
    this.#parts.env.timers.after(pauseMs, () => {
      this.#isPausing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#parts.link.isUp) return;
    for (const pending of this.#waiting.take()) this.#send(pending);
  }

  #up(): void {
    this.#flush();
    for (const listener of this.#listeners) listener();
  }

  #ended(): void {
    for (const pending of this.#waiting.take()) this.#giveUp(pending);
  }

  #expired(pending: PendingCall): void {
    this.#waiting.delete(pending);
    const { attempt } = pending;
    attempt?.giveUp();
    if (attempt?.isWritten && !pending.call.isRead) pending.isUncertain = true;
    this.#fail(pending, reasonFor(pending, this.#parts));
  }

  /** There will be no connection any more. */
  #giveUp(pending: PendingCall): void {
    this.reject(pending, reasonFor(pending, this.#parts));
  }

  reject(pending: PendingCall, error: Error): void {
    if (this.#times.delete(pending)) this.#fail(pending, error);
  }

  #fail(pending: PendingCall, error: Error): void {
    pending.reject(verdictOn(pending, error, this.#parts));
    this.#once?.settled(pending, pending.isUncertain ? "unknown" : "refused");
  }
}

function slotsOf({ prefix, store, partitions }: CallNames): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const tag = placedBy(partitionTag(prefix, store, partition));
    return crc16(Buffer.from(tag)) % clusterSlots;
  });
}

function closedError(): Error {
  return new StoreClosedError("the connection of the store has been closed");
}
