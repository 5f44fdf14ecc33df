// Once: calls that may be sent again without being carried out again, however late a copy comes.
//
// 1. Slots are sequences modulo `slots`. In each, sequences only rise: a lower one is a late copy of a
//    call that has been settled, and is refused.
// 2. Nothing is carried out for a client that has not begun. Records last as long as the process, an
//    hour after the client's last call, and while there is room: whoever is forgotten hears of it, and
//    begins anew with another name.
// 3. What a client has let be forgotten is refused.
// 4. A refusal stands, too. A copy that comes while the call is under way waits for the same answer.

import type { Awaitable } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import { LibraryError } from "../../remote/connection.js";
import type { FunctionReply } from "./function-reply.js";
import { refusal } from "./refusals.js";

const slots = 1_024;
const keptMs = 3_600_000;
/** What a client and an answer take beside the content of answers. */
const clientBytes = 1_000;
const answerBytes = 200;

type Outcome = FunctionReply | LibraryError | Promise<FunctionReply>;

interface Answer {
  readonly sequence: number;
  outcome: Outcome;
  bytes: number;
}

interface Client {
  touchedAt: number;
  bytes: number;
  readonly answers: Map<number, Answer>;
}

export class OnceRecords {
  readonly #clock: Env["clock"];
  readonly #bytesMax: number;
  // Whoever has been silent longest stands first.
  readonly #clients = new Map<string, Client>();
  #bytes = 0;

  constructor({ clock }: Pick<Env, "clock">, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  begin(name: string): void {
    const client = this.#clients.get(name) ?? { touchedAt: 0, bytes: 0, answers: new Map() };
    if (client.bytes === 0) this.#charge(client, clientBytes + name.length);
    this.#touch(name, client);
  }

  /** Whether there was such a client; what still comes of it is refused. */
  end(name: string): boolean {
    const client = this.#clients.get(name);
    if (client === undefined) return false;
    this.#bytes -= client.bytes;
    return this.#clients.delete(name);
  }

  /** Copies of these calls, which the client has been answered, are refused from now on. */
  forget(name: string, sequences: readonly number[]): void {
    const client = this.#clients.get(name);
    for (const sequence of client === undefined ? [] : sequences) {
      const answer = client?.answers.get(sequence % slots);
      if (answer?.sequence !== sequence || answer.outcome instanceof Promise) continue;
      this.#charge(client as Client, answerBytes - answer.bytes, answer);
      answer.outcome = refusal("SUPERSEDED", String(sequence));
    }
  }

  /**
   * The answer of the first copy, or what `run` answers, which is carried out then.
   *
   * @throws LibraryError when the client is not known, or the sequence is one of the past.
   */
  call(
    name: string,
    sequence: number,
    run: () => Awaitable<FunctionReply>,
  ): Awaitable<FunctionReply> {
    this.#forgetSilent();
    const client = this.#clients.get(name);
    if (client === undefined) throw refusal("NOT_BEGUN", "nothing is known of this client");
    const known = client.answers.get(sequence % slots);
    if (known !== undefined && known.sequence > sequence) {
      throw refusal("SUPERSEDED", String(known.sequence));
    }
    if (known?.sequence === sequence) return repeated(known.outcome);
    return this.#first(name, client, sequence, run);
  }

  #first(
    name: string,
    client: Client,
    sequence: number,
    run: () => Awaitable<FunctionReply>,
  ): Awaitable<FunctionReply> {
    const answer: Answer = { sequence, outcome: "", bytes: answerBytes };
    const settle = (outcome: FunctionReply | LibraryError): void => {
      this.#charge(client, sizeOf(outcome), answer);
      answer.outcome = outcome;
      if (this.#clients.get(name) === client) this.#touch(name, client);
    };
    const former = client.answers.get(sequence % slots);
    if (former !== undefined) this.#charge(client, -former.bytes);
    this.#charge(client, answerBytes);
    client.answers.set(sequence % slots, answer);
    try {
      const reply = run();
      if (!(reply instanceof Promise)) {
        settle(reply);
        return reply;
      }
      answer.outcome = reply;
      reply.then(settle, (error: LibraryError) => settle(error));
      return reply;
    } catch (error) {
      settle(error as LibraryError);
      throw error;
    }
  }

  #charge(client: Client, bytes: number, answer?: Answer): void {
    client.bytes += bytes;
    if (answer !== undefined) answer.bytes += bytes;
    this.#bytes += bytes;
  }

  #touch(name: string, client: Client): void {
    client.touchedAt = this.#clock.now();
    this.#clients.delete(name);
    this.#clients.set(name, client);
    this.#forgetSilent();
    while (this.#bytes > this.#bytesMax && this.#clients.size > 1) this.#forgetOldest();
  }

  #forgetSilent(): void {
    const limit = this.#clock.now() - keptMs;
    for (const [name, { touchedAt }] of this.#clients) {
      if (touchedAt > limit) return;
      this.end(name);
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined) this.end(oldest);
  }
}

function repeated(outcome: Outcome): Awaitable<FunctionReply> {
  if (outcome instanceof LibraryError) throw outcome;
  return outcome;
}

function sizeOf(outcome: FunctionReply | LibraryError): number {
  if (outcome instanceof LibraryError) return outcome.message.length;
  if (typeof outcome === "number") return 8;
  if (typeof outcome === "string" || outcome instanceof Uint8Array) return outcome.length;
  return outcome.reduce<number>((size, part) => size + 8 + sizeOf(part), 0);
}
