// Connection: one client, from its bytes to its replies.
//
// Invariants
// 1. Replies are sent in the order of the requests, each once, and only when the store has
//    acknowledged what they tell of. While one has to be waited for, no further request is begun,
//    except where several share a transaction.
// 2. Whatever a client sends and leaves unread, what is kept for it is bounded: while replies wait
//    for it, or a command of it waits, it is read no further than the limits say.
// 3. Whatever ends a connection, the wait of a blocking command and the subscriptions end with it.

import type { Socket } from "node:net";
import { isSubscriber, refusalOf } from "./admission.js";
import type { Argument } from "./argument.js";
import { ClientSession, type Wire } from "./client-session.js";
import { executedInTransaction } from "./client-transaction.js";
import { CommandError, type SessionBody, type TakeBody } from "./command.js";
import type { Door } from "./door.js";
import { type Encoded, resp2 } from "./encoder.js";
import { errorReplyOf, warnOfFault } from "./error-replies.js";
import { Executor, type Replies } from "./executor.js";
import { Output } from "./output.js";
import { ProtocolError, RequestParser } from "./parser.js";
import { receiving } from "./receiving.js";
import {
  type DataRequest,
  isOfHttp,
  isShareable,
  mayBeLong,
  type Request,
  requestOf,
} from "./request.js";
import { localAddressOf, remoteAddressOf } from "./socket-address.js";

// Commands that share a transaction where writes have to be waited for.
const sharedRequestsMax = 128;
// Replies are put together up to this size before they are sent.
const togetherBytesMax = 1_048_576;
// How long the others wait for one who has sent much, unless a single command takes longer.
const turnMs = 10;
// What is read ahead of a command that is waited for.
const aheadBytesMax = 1_048_576;
// The same behind one that blocks: it is read on, so that the client is seen to leave.
const behindWaitBytesMax = 16_777_216;

export class Connection implements Wire {
  readonly session: ClientSession;
  readonly #door: Door;
  readonly #socket: Socket;
  readonly #parser: RequestParser;
  readonly #executor: Executor;
  readonly #output: Output;
  // Requests that have been read and not begun.
  readonly #held: (Request | CommandError)[] = [];
  // Whether a command is being waited for.
  #isWaiting = false;
  #isWorking = false;
  // Nothing is begun any more.
  #isStopped = false;
  #isClosed = false;
  // The client has said that it sends nothing more.
  #isEnded = false;
  #lastRequest: Request | undefined;
  #bufferedBytes = 0;
  // When something came from the client or was taken by it, on the monotonic clock. That is looked
  // at with every sweep of the door, and not with every request.
  #lastMs: number;
  #isActive = false;

  constructor(id: number, door: Door, accepted: Socket) {
    this.#door = door;
    const socket = receiving(accepted, (chunk) => this.#receive(chunk));
    this.#socket = socket;
    this.#parser = new RequestParser(door.settings);
    this.#executor = new Executor(door.direct, door.values, door.cursors, resp2);
    this.#output = new Output(socket, () => this.#progress());
    this.#lastMs = door.env.clock.monotonic();
    this.session = new ClientSession(id, door, this, this.#executor, door.env);
    socket.on("end", () => this.#receivedAll());
    // What goes wrong with a connection concerns nobody but its client; "close" follows.
    socket.on("error", () => {});
    socket.on("finish", () => socket.destroy());
    socket.on("close", () => this.#closed());
  }

  get address(): string {
    return remoteAddressOf(this.#socket, this.#door.facts.path);
  }

  get localAddress(): string {
    return localAddressOf(this.#socket, this.#door.facts.path);
  }

  /** With the precision of the door's sweeps. */
  get idleMs(): number {
    return this.#isActive ? 0 : this.#door.env.clock.monotonic() - this.#lastMs;
  }

  /** Called by every sweep of the door. */
  sweep(nowMs: number): void {
    if (!this.#isActive) return;
    this.#isActive = false;
    this.#lastMs = nowMs;
  }

  /** Who waits for messages or elements is silent for good reason. */
  get mayBeIdle(): boolean {
    return this.#isWaiting || isSubscriber(this.session);
  }

  get lastCommand(): string {
    return this.#lastRequest?.command.name.toLowerCase() ?? "NULL";
  }

  get pendingInputBytes(): number {
    return this.#parser.pendingBytes;
  }

  get pendingOutputBytes(): number {
    return this.#output.pendingBytes + this.#output.gatheredBytes;
  }

  identified(isKnown: boolean): void {
    this.#parser.isStranger = !isKnown;
  }

  #receive(chunk: Buffer): void {
    this.#isActive = true;
    this.#parser.push(chunk);
    if (this.#isWaiting || this.#isHeldUp()) this.#parser.retain();
    else this.#work();
    this.#account();
  }

  /** Keeps what is buffered for this client within what there is for all of them. */
  #account(): void {
    // What was kept for the client has been given back: nobody would do so a second time.
    if (this.#isClosed) return;
    const input = this.#parser.pendingBytes;
    if (input + this.#bufferedBytes === 0 && this.#output.pendingBytes === 0) return;
    const bytes = input + this.#output.pendingBytes;
    const isTooMuch = this.#door.buffered(bytes - this.#bufferedBytes);
    const isMore = bytes > this.#bufferedBytes;
    this.#bufferedBytes = bytes;
    const isBehindWait = this.session.isBlocked && input > behindWaitBytesMax;
    if ((isTooMuch && isMore) || isBehindWait) this.#cutOff();
    else if (this.#mustPause(input)) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #mustPause(input: number): boolean {
    const isAhead = this.#isWaiting && !this.session.isBlocked && input > aheadBytesMax;
    return this.#isHeldUp() || isAhead;
  }

  /** Whether so many replies wait for the client that nothing more is done for it. */
  #isHeldUp(): boolean {
    return this.#output.pendingBytes > this.#door.settings.outputBytesMax;
  }

  #cutOff(): void {
    if (this.#socket.destroyed) return;
    this.#door.facts.counts.cutOff++;
    this.kill();
  }

  #progress(): void {
    this.#isActive = true;
    if (this.#output.pendingBytes === 0) this.#door.stalled.delete(this);
    if (!this.#isWaiting && !this.#isHeldUp()) this.#work();
    this.#account();
  }

  /** Carries out what has been received, as far as it goes. */
  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    let hasMore = false;
    try {
      hasMore = this.#takeTurn();
    } catch (error) {
      this.#stop(error);
    } finally {
      this.#isWorking = false;
    }
    this.#parser.retain();
    const isLast = !this.#isWaiting && (this.#isStopped || (this.#isEnded && !hasMore));
    if (this.#output.mayWait && !isLast) this.#door.flushLater(this);
    else this.flush();
    if (isLast) this.#output.end();
  }

  /** Gives whether there is, or may be, more to do. */
  #takeTurn(): boolean {
    const { clock } = this.#door.env;
    const endMs = clock.monotonic() + turnMs;
    while (!this.#isWaiting && !this.#isStopped) {
      const next = this.#next();
      if (next === undefined) return false;
      this.#carryOut(next);
      if (this.#output.gatheredBytes > togetherBytesMax) {
        this.flush();
        if (this.#isHeldUp()) return true;
      }
      if (mayBeLong(next) && clock.monotonic() > endMs && !this.#isWaiting) this.#breathe();
    }
    return true;
  }

  /** Lets others have their turn. */
  #breathe(): void {
    this.#isWaiting = true;
    this.#door.env.timers.breathe().then(() => {
      this.#isWaiting = false;
      this.#work();
      this.#account();
    });
  }

  /** Nothing more can be made of what this client sends. It concerns no other one. */
  #stop(error: unknown): void {
    const isOfClient = error instanceof ProtocolError;
    const text = isOfClient ? `Protocol error: ${error.message}` : "internal error";
    this.#output.gather(this.session.encode.error(`ERR ${text}`));
    this.#door.facts.counts.cutOff++;
    this.#isStopped = true;
    if (!isOfClient) warnOfFault(error);
  }

  #next(): Request | CommandError | undefined {
    if (this.#held.length > 0) return this.#held.shift();
    const words = this.#parser.next();
    if (words === undefined) return undefined;
    this.#door.facts.counts.commands++;
    try {
      const request = requestOf(this.#door.table, words, this.session.user !== undefined);
      request.entry.calls++;
      return request;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      // A browser that somebody has made speak to this port: what follows is not meant for us.
      if (isOfHttp(words[0])) this.kill();
      return error;
    }
  }

  #carryOut(request: Request | CommandError): void {
    if (request instanceof CommandError) this.#refuse(request.message, request);
    else if (this.session.isPlain) this.#run(request);
    else this.#admit(request);
  }

  #refuse(text: string, request: Request | CommandError): void {
    this.session.transaction.abort();
    const isExec = !(request instanceof CommandError) && request.command.name === "EXEC";
    if (isExec) this.session.transaction.discard();
    const reason = isExec ? `EXECABORT Transaction discarded because of: ${text}` : text;
    this.#reply(this.session.encode.error(reason));
  }

  #admit(request: Request): void {
    const { session } = this;
    const refusal = refusalOf(session, request);
    if (refusal !== undefined) this.#refuse(refusal, request);
    else if (session.transaction.isOpen && !executedInTransaction.has(request.command.name)) {
      this.#queue(request);
    } else this.#run(request);
  }

  #queue(request: Request): void {
    try {
      this.session.transaction.queue(request);
      this.#reply("+QUEUED\r\n");
    } catch (error) {
      this.#refuse(errorReplyOf(error), request);
    }
  }

  #run(request: Request): void {
    this.#lastRequest = request;
    const { body, args } = request;
    if (body.kind === "session") this.#runSession(body, args);
    else if (body.kind === "take") this.#take(body, args);
    else if (body.kind === "write" && this.#executor.isAwaiting) this.#runTogether(request);
    else {
      const reply = this.#executor.run(request as DataRequest);
      if (typeof reply === "string") this.#reply(reply);
      else this.#await(reply);
    }
  }

  #reply(text: Encoded): void {
    const { session } = this;
    this.#output.gather(session.replyMode === "on" ? text : "");
    if (session.replyMode !== "on") session.turnReplyMode();
  }

  /** What is next begins when this reply has come. */
  #await(reply: Promise<Encoded>): void {
    this.#isWaiting = true;
    reply.then((text) => {
      this.#isWaiting = false;
      this.#reply(text);
      this.#work();
      this.#account();
    });
  }

  #runSession({ run }: SessionBody, args: readonly Argument[]): void {
    try {
      const reply = run(this.session, args);
      if (typeof reply === "string") this.#reply(reply);
      else this.#await(reply.catch((error) => this.#failed(error)));
    } catch (error) {
      this.#reply(this.#failed(error));
    }
  }

  #failed(error: unknown): Encoded {
    return this.session.encode.error(errorReplyOf(error));
  }

  #take(body: TakeBody, args: readonly Argument[]): void {
    const { session } = this;
    const signal = session.beginWait();
    const reply = this.#executor.take({ body, args }, signal).then((settled) => {
      return session.endWait() ? body.none(session.encode) : settled;
    });
    this.#await(reply);
  }

  /** In one transaction: a command, and those behind it that have been received already. */
  #runTogether(first: Request): void {
    const requests = [first as DataRequest];
    while (requests.length < sharedRequestsMax && this.session.isPlain) {
      const next = this.#next();
      if (next === undefined) break;
      if (!isShareable(next)) {
        this.#held.push(next);
        break;
      }
      requests.push(next);
    }
    const replies = this.#executor.runTogether(requests);
    const take = ({ text, calls }: Replies): Encoded => {
      this.#held.unshift(...requests.slice(calls));
      return text;
    };
    if (replies instanceof Promise) this.#await(replies.then(take));
    else this.#reply(take(replies));
  }

  /** Hands over the replies that are there. */
  flush(): void {
    this.#output.flush();
    if (this.#output.pendingBytes === 0 || this.#socket.destroyed) return;
    this.#door.stalled.add(this);
    this.#account();
  }

  send(text: Encoded): void {
    this.#output.gatherBehind(text);
    if (this.#isWorking) return;
    this.flush();
    if (this.#output.pendingBytes > this.#door.settings.messageBytesMax) this.#cutOff();
  }

  endAfterReply(): void {
    this.#isStopped = true;
  }

  /** Finishes what has been received, then closes the connection. */
  finish(): void {
    this.session.abandon("UNBLOCKED the server is shutting down");
    this.#receivedAll();
  }

  kill(): void {
    this.#isStopped = true;
    this.#socket.destroy();
  }

  #receivedAll(): void {
    this.#isEnded = true;
    this.session.abandon("UNBLOCKED the client has gone");
    if (!this.#isWaiting) this.#work();
  }

  #closed(): void {
    this.#isStopped = true;
    this.#isClosed = true;
    this.session.abandon("UNBLOCKED the client has gone");
    this.session.leaveChannels();
    this.session.transaction.discard();
    this.#door.buffered(-this.#bufferedBytes);
    this.#bufferedBytes = 0;
    this.#door.left(this);
  }
}
