// Valkey connection: calls by name, through a client of iovalkey.
//
// What becomes of a call whose connection breaks
//   not written yet                         it waits for the next connection
//   written, `isRead` or sent as `once`     it waits as well, and is sent again
//   written, anything else                  OutcomeUnknownError
// A refusal means that nothing has happened: those that pass by themselves (a server that loads, a
// slot that moves, a cluster that chooses a new primary) are waited out; a library that is missing is
// loaded; all others are typed errors. Whatever waits is given up when its time is over.

import {
  isKvError,
  OutcomeUnknownError,
  ServerUnsuitableError,
  StoreClosedError,
} from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import {
  type Call,
  type Connection,
  LibraryError,
  type Reply,
  type ServerFacts,
} from "../connection.js";
import type { Library } from "../library.js";
import { crc16, partitionTag, placedBy } from "../partitions.js";
import { CallTimes } from "./call-times.js";
import { connectError, timeoutError } from "./connect-errors.js";
import { CallEncoder, type CallForm, type CallNames } from "./encode-call.js";
import { type LibraryForm, loadLibrary } from "./library-loader.js";
import type { Link } from "./link.js";
import { OnceCalls } from "./once-calls.js";
import { Attempt, type CallOwner, PendingCall } from "./pending-call.js";
import { ask } from "./raw-command.js";
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

export interface ConnectionParts {
  readonly env: Pick<Env, "clock" | "random" | "timers">;
  readonly link: Link;
  readonly names: CallNames;
  readonly library: Library;
  readonly form: LibraryForm;
  readonly server: ServerFacts;
  /** "valkey at 127.0.0.1:6379" */
  readonly at: string;
  readonly hasTls: boolean;
  readonly commandTimeoutMs: number;
  /** Whether writes are sent as `once`. */
  readonly retryWrites: boolean;
}

/** Until a call that was refused for the moment is sent again. */
const pauseMs = 50;
/** How often the library is loaded for one call. */
const loadsMax = 5;
const clusterSlots = 16_384;

export class ValkeyConnection implements Connection, CallOwner {
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
    const send = (call: Call): Promise<Reply> => this.#issue(call);
    this.#once = retryWrites ? new OnceCalls(env, names.partitions, send) : undefined;
    link.opened();
    link.onUp = () => this.#up();
    link.onEnd = () => this.#ended();
  }

  call(call: Call): Promise<Reply> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    if (this.#once !== undefined && !call.isRead) return this.#once.call(call);
    return this.#issue(call);
  }

  #issue(call: Call): Promise<Reply> {
    const slot = this.#slots[call.partition] as number;
    const pending = new PendingCall(call, slot, this.#times.deadline());
    this.#times.add(pending);
    const { link } = this.#parts;
    if (link.isUp && !this.#waiting.has(call.partition)) this.#send(pending);
    else if (link.hasEnded) this.#giveUp(pending);
    else this.#waiting.add(pending);
    return pending.promise;
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
    if (!link.isUp) for (const pending of this.#waiting.take()) this.#giveUp(pending);
    await this.#times.idle();
    await link.hangUp();
  }

  #send(pending: PendingCall): void {
    const payload = this.#encoder.encode(pending.call, this.#formOf(pending));
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
    if (this.#times.delete(pending)) pending.resolve(reply);
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
        this.#reject(pending, error);
        return;
      }
    }
    this.#parts.link.refresh();
    this.#wait(pending, error);
  }

  #refused(pending: PendingCall, error: Error): void {
    const { at, link } = this.#parts;
    if (error.message.startsWith("ANYKV_")) {
      if (this.#times.delete(pending)) pending.reject(new LibraryError(error.message));
    } else if (isFunctionMissing(error)) {
      this.#missing(pending, error);
    } else if (isScriptMissing(error) && !pending.needsSource) {
      pending.needsSource = true;
      this.#send(pending);
    } else if (isPassing(error)) {
      this.#wait(pending, error);
    } else {
      if (replyCode(error) === "READONLY") link.renew();
      this.#reject(pending, serverError(error, at));
    }
  }

  /** Nothing has happened: the library is loaded, everywhere, and the call sent again. */
  #missing(pending: PendingCall, error: Error): void {
    if (++pending.loads > loadsMax) {
      const hint = "look for programs with another version of anykv that use the same server";
      const message = `${this.#parts.at}: the library lacks the operation ${pending.call.operation}`;
      this.#reject(pending, new ServerUnsuitableError(message, { hint, cause: causeOf(error) }));
      return;
    }
    this.#loading ??= this.#load();
    this.#loading.then(
      () => this.#wait(pending, error),
      (reason: Error) =>
        isKvError(reason) ? this.#reject(pending, reason) : this.#wait(pending, reason),
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
    pending.reject(this.#verdict(pending, this.#reason(pending)));
  }

  /** There will be no connection any more. */
  #giveUp(pending: PendingCall): void {
    this.#reject(pending, this.#reason(pending));
  }

  #reject(pending: PendingCall, error: Error): void {
    if (this.#times.delete(pending)) pending.reject(this.#verdict(pending, error));
  }

  /** The error of a call, unless it may have been carried out all the same. */
  #verdict({ isUncertain, call }: PendingCall, error: Error): Error {
    if (!isUncertain) return error;
    const message = `${call.operation} was sent and not answered: it may have been carried out`;
    return new OutcomeUnknownError(`${this.#parts.at}: ${message}`, {
      hint: "read what it would have changed, or open with `valkey: { retryWrites: true }`",
      cause: isKvError(error) ? error : causeOf(error),
    });
  }

  /** Why a call that is given up could not be carried out. */
  #reason({ lastError }: PendingCall): Error {
    const { at, link, commandTimeoutMs } = this.#parts;
    if (isReplyError(lastError)) return serverError(lastError, at);
    if (link.lastError === undefined && !link.hasEnded) {
      return timeoutError(commandTimeoutMs, this.#context());
    }
    return isKvError(link.lastError)
      ? link.lastError
      : connectError(link.lastError, this.#context());
  }

  #context(): { at: string; hasTls: boolean; wasConnected: boolean } {
    const { at, hasTls, link } = this.#parts;
    return { at, hasTls, wasConnected: link.wasConnected || link.isUp };
  }
}

/** Loads the library on every primary that can be reached; one is enough. */
export async function loadEverywhere(link: Link, library: Library): Promise<LibraryForm> {
  const loads = link
    .primaries()
    .map((node) => loadLibrary((...words) => ask(node, ...words), library));
  const results = await Promise.allSettled(loads);
  const forms = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (forms.length > 0) return forms.includes("scripts") ? "scripts" : "functions";
  const failed = results[0];
  throw failed?.status === "rejected" ? failed.reason : new Error("the cluster has no primary");
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
