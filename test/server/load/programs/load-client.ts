// Load client: one connection, the requests that it has sent and the replies that are due. A reply
// that nobody is waiting for, and an end that nobody has asked for, are faults.

import { connect, type Socket } from "node:net";
import { encoded, type Reply, ReplyReader, type Word } from "./wire.js";

export interface Place {
  readonly port: number;
  /** A Unix socket, by which every fourth client comes. */
  readonly path: string;
}

/** What a process of clients has seen so far. */
export class Tally {
  connections = 0;
  requests = 0;
  replies = 0;
  /** How often the shared counter has been raised. */
  shared = 0;
  /** Steps by their kind. */
  readonly steps: Record<string, number> = {};
  readonly faults: string[] = [];
  readonly #milliseconds = new Uint32Array(60_000);

  fault(what: string): void {
    if (this.faults.length < 20) this.faults.push(what);
  }

  took(ms: number): void {
    const place = Math.min(this.#milliseconds.length - 1, Math.floor(ms));
    this.#milliseconds[place] = (this.#milliseconds[place] as number) + 1;
  }

  /** How many requests took so many milliseconds, by the whole ones. */
  get latencies(): [number, number][] {
    return [...this.#milliseconds.entries()].filter(([, count]) => count > 0);
  }
}

interface Due {
  readonly resolve: (reply: Reply) => void;
  /** NaN where the reply may take as long as it likes. */
  readonly sentAt: number;
}

let connected = 0;

export class LoadClient {
  readonly name: string;
  readonly #place: Place;
  readonly #tally: Tally;
  #socket: Socket | undefined;
  #reader = new ReplyReader();
  readonly #due: Due[] = [];
  #isLeaving = false;

  constructor(name: string, place: Place, tally: Tally) {
    this.name = name;
    this.#place = place;
    this.#tally = tally;
  }

  async connect(): Promise<void> {
    const { port, path } = this.#place;
    const socket = connected++ % 4 === 3 ? connect(path) : connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    this.#tally.connections++;
    this.#socket = socket;
    this.#reader = new ReplyReader();
    this.#isLeaving = false;
    let reason = "";
    socket.on("data", (chunk) => this.#receive(String(chunk)));
    socket.on("error", (error) => {
      reason = String(error);
    });
    socket.on("close", () => {
      if (socket === this.#socket && !this.#isLeaving) this.#fault(`was cut off ${reason}`);
    });
  }

  #fault(what: string): void {
    this.#tally.fault(`${this.name}: ${what}`);
  }

  #receive(chunk: string): void {
    try {
      for (const reply of this.#reader.push(chunk)) {
        const due = this.#due.shift();
        if (due === undefined) throw new Error(`unasked: ${JSON.stringify(reply)}`);
        this.#tally.replies++;
        if (!Number.isNaN(due.sentAt)) this.#tally.took(performance.now() - due.sentAt);
        due.resolve(reply);
      }
    } catch (error) {
      this.#fault(String(error));
      this.#socket?.destroy();
    }
  }

  ask(...words: Word[]): Promise<Reply> {
    return this.#send(encoded(words), performance.now());
  }

  /** For what may wait: it does not count among the times. */
  waitFor(...words: Word[]): Promise<Reply> {
    return this.#send(encoded(words), Number.NaN);
  }

  /** In one piece, as a pipeline. */
  askAll(...requests: Word[][]): Promise<Reply[]> {
    const text = requests.map(encoded).join("");
    const replies = requests.map((_, index) =>
      this.#send(index === 0 ? text : "", performance.now()),
    );
    return Promise.all(replies);
  }

  #send(text: string, sentAt: number): Promise<Reply> {
    this.#tally.requests++;
    if (text !== "") this.#socket?.write(text, "latin1");
    return new Promise((resolve) => this.#due.push({ resolve, sentAt }));
  }

  /** Ends the connection, with or without saying so; nothing may be due. */
  async leave(isPolite: boolean): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#isLeaving = true;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    if (isPolite) {
      const reply = await this.ask("QUIT");
      if (reply !== "OK") this.#fault(`QUIT: ${JSON.stringify(reply)}`);
    } else socket.destroy();
    await closed;
    if (!this.#reader.isEmpty) this.#fault("half a reply was left");
  }
}
