// Calls that are carried out once however often they are sent: docs/formats/valkey.md, `once`.
//
// The server keeps the answer of a call under a slot, which is its sequence modulo `slots`. Copies of
// a call may still be on their way when it has settled: in a buffer of a broken connection, in a proxy.
//
// Invariants
// 1. A slot has one call under way. The next one gets a higher sequence, so the server refuses every
//    copy of the former one that comes later.
// 2. A call whose outcome is unknown is followed by one that does nothing, in its slot, before anything
//    else is asked of the partition: what is read afterwards is final.
// 3. The server must know the client. It begins with a name that was never sent before, so nothing that
//    was under way can let the server take a client for known whose record was lost. A call that may
//    have been carried out under another name is not sent again.
// 4. Whoever finds no slot free, or the client not begun, waits in turn, and so does whatever comes
//    later, reads as well.

import { OutcomeUnknownError, ServerRefusedError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { Call, Reply } from "../connection.js";
import { KeptReplies } from "./kept-replies.js";
import type { PendingCall } from "./pending-call.js";

/** As many as the library keeps for a client in a partition. */
const slots = 1_024;
const randomBound = 2 ** 48;
/** How often a client begins for the sake of one call. */
const beginsMax = 5;

/** What a call is known by. */
export interface Ticket {
  readonly client: string;
  readonly sequence: number;
}

/** What has become of a call: "refused" has changed nothing. */
export type Outcome = "answered" | "refused" | "unknown";

/** Whoever sends. */
export interface OnceSender {
  /** A call that is written once at most. */
  begin(call: Call): Promise<unknown>;
  /** Has the call of a ticket sent, with nobody to hear of it. */
  fence(call: Call, ticket: Ticket): void;
  dispatch(pending: PendingCall): void;
  reject(pending: PendingCall, error: Error): void;
}

interface Line {
  /** Undefined before it has begun. */
  client: string | undefined;
  /** The sequence with which each free slot goes on; the last one is taken first. */
  free: number[];
  /** Tickets of calls whose outcome is unknown. */
  unknown: Ticket[];
  readonly queue: Set<PendingCall>;
  readonly kept: KeptReplies;
  beginning: Promise<void> | undefined;
  isAdvancing: boolean;
}

export class OnceCalls {
  readonly #random: Env["random"];
  readonly #sender: OnceSender;
  readonly #lines: readonly Line[];

  constructor({ random }: Pick<Env, "random">, partitions: number, sender: OnceSender) {
    this.#random = random;
    this.#sender = sender;
    this.#lines = Array.from({ length: partitions }, () => ({
      client: undefined,
      free: [],
      unknown: [],
      queue: new Set<PendingCall>(),
      kept: new KeptReplies(),
      beginning: undefined,
      isAdvancing: false,
    }));
  }

  /** Begins everywhere, as long as there is time. */
  async begin(isInTime: () => boolean): Promise<void> {
    await Promise.all(this.#lines.map((_, partition) => this.#begin(partition, isInTime)));
  }

  /** Whether the call may be sent now; otherwise it is dispatched when it may. */
  admit(pending: PendingCall): boolean {
    const { partition } = pending.call;
    const line = this.#lines[partition] as Line;
    if (line.unknown.length > 0) this.#fence(line, partition);
    if (line.queue.size === 0 && this.#isReady(line, pending)) return true;
    line.queue.add(pending);
    return false;
  }

  /** The call has settled, with a reply if it was answered. */
  settled(pending: PendingCall, outcome: Outcome, reply: Reply = null): void {
    const { call, ticket, isFence } = pending;
    const line = this.#lines[call.partition] as Line;
    line.queue.delete(pending);
    if (ticket === undefined || ticket.client !== line.client) return;
    if (outcome === "unknown" || (isFence && outcome === "refused")) line.unknown.push(ticket);
    else line.free.push(ticket.sequence + slots);
    this.#forget(line, pending, reply);
    this.#advance(line);
  }

  /** Nobody asks again for the reply of a call that has settled. */
  #forget(
    { client, kept }: Line,
    { call: { partition }, ticket }: PendingCall,
    reply: Reply,
  ): void {
    if (client === undefined || ticket === undefined) return;
    const sequences = kept.add(ticket.sequence, reply);
    if (sequences.length === 0) return;
    const args = [client, ...sequences];
    // It is not missed when it is lost.
    this.#sender
      .begin({ operation: "once_forget", partition, args, isRead: false })
      .catch(() => {});
  }

  /** The server knows nothing of the client, and has done nothing for the call. */
  refused(pending: PendingCall): void {
    const { call, ticket } = pending;
    const line = this.#lines[call.partition] as Line;
    pending.ticket = undefined;
    if (ticket?.client === line.client) line.client = undefined;
    // Where nothing is known of the client there is nothing to fence off.
    if (pending.isFence || ++pending.begins > beginsMax) {
      this.#sender.reject(pending, forgotten());
      return;
    }
    line.queue.add(pending);
    this.#advance(line);
  }

  queued(): PendingCall[] {
    return this.#lines.flatMap(({ queue }) => [...queue]);
  }

  /** Where the client has begun, and under which name. */
  *begun(): IterableIterator<readonly [partition: number, client: string]> {
    for (const [partition, { client }] of this.#lines.entries()) {
      if (client !== undefined) yield [partition, client];
    }
  }

  #isReady(line: Line, pending: PendingCall): boolean {
    if (pending.call.isRead) return true;
    if (line.client === undefined) {
      this.#begin(pending.call.partition, () => line.queue.size > 0).catch(() => {});
      return false;
    }
    const sequence = line.free.pop();
    if (sequence === undefined) return false;
    pending.ticket = { client: line.client, sequence };
    return true;
  }

  // Dispatching may settle a call, which advances the line again: that is left to the loop.
  #advance(line: Line): void {
    if (line.isAdvancing) return;
    line.isAdvancing = true;
    for (const pending of line.queue) {
      if (!this.#isReady(line, pending)) break;
      line.queue.delete(pending);
      this.#sender.dispatch(pending);
    }
    line.isAdvancing = false;
  }

  #fence(line: Line, partition: number): void {
    const { client, unknown } = line;
    line.unknown = [];
    for (const ticket of unknown) {
      if (ticket.client !== client) continue;
      // Does nothing, and is carried out even where no memory is left.
      const call: Call = { operation: "release_claims", partition, args: [], isRead: false };
      this.#sender.fence(call, { client, sequence: ticket.sequence + slots });
    }
  }

  #begin(partition: number, isWanted: () => boolean): Promise<void> {
    const line = this.#lines[partition] as Line;
    line.beginning ??= this.#beginLine(partition, line, isWanted).finally(() => {
      line.beginning = undefined;
      this.#advance(line);
    });
    return line.beginning;
  }

  async #beginLine(partition: number, line: Line, isWanted: () => boolean): Promise<void> {
    for (;;) {
      const client = this.#draw() + this.#draw();
      try {
        await this.#sender.begin({
          operation: "once_begin",
          partition,
          args: [client],
          isRead: false,
        });
        line.client = client;
        line.free = Array.from({ length: slots }, (_, slot) => slots - slot);
        line.unknown = [];
        line.kept.clear();
        return;
      } catch (error) {
        // Whether the server knows that name by now does not matter: it is not used.
        if (error instanceof OutcomeUnknownError && isWanted()) continue;
        for (const pending of [...line.queue]) {
          if (!pending.call.isRead) this.#sender.reject(pending, error as Error);
        }
        throw error;
      }
    }
  }

  #draw(): string {
    return this.#random.below(randomBound).toString(36);
  }
}

function forgotten(): ServerRefusedError {
  return new ServerRefusedError("the server keeps forgetting which calls it has carried out", {
    hint: "let the server evict nothing: `maxmemory-policy noeviction`",
  });
}
