// A socket without a network: the test is the client, and decides when it reads.

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

export class FakeSocket extends EventEmitter {
  remoteAddress: string | undefined = "127.0.0.1";
  remotePort: number | undefined = 50_000;
  localAddress: string | undefined = "127.0.0.1";
  localPort: number | undefined = 6_380;
  /** All that has been taken by the client. */
  received = "";
  /** Chunks as they were written. */
  writes = 0;
  writableLength = 0;
  isDestroyed = false;
  isEnded = false;
  /** Whether the client reads what is written. */
  #isReading = true;
  #isPaused = false;
  readonly #unsent: Buffer[] = [];
  #unread: { text: string; done: (() => void) | undefined }[] = [];

  get destroyed(): boolean {
    return this.isDestroyed;
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  // What the client does.

  sends(bytes: string | Uint8Array): void {
    if (this.isDestroyed) return;
    this.#unsent.push(typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes));
    this.#deliver();
  }

  #deliver(): void {
    while (!this.#isPaused && !this.isDestroyed) {
      const chunk = this.#unsent.shift();
      if (chunk === undefined) return;
      this.emit("data", chunk);
    }
  }

  leaves(): void {
    this.emit("end");
  }

  stopsReading(): void {
    this.#isReading = false;
  }

  /** Takes what waits, up to so many writes. */
  reads(writesMax = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < writesMax; count++) {
      const next = this.#unread.shift();
      if (next === undefined) break;
      this.writableLength -= next.text.length;
      this.received += next.text;
      if (next.done !== undefined) queueMicrotask(next.done);
    }
    if (this.#unread.length > 0) return;
    if (this.isEnded) this.#finish();
  }

  /** What has come since the last time. */
  take(): string {
    const text = this.received;
    this.received = "";
    return text;
  }

  // What the server does.

  write(text: string, encoding?: unknown, callback?: (error?: Error) => void): boolean {
    const done = (typeof encoding === "function" ? encoding : callback) as (() => void) | undefined;
    this.writes++;
    if (this.isDestroyed) return false;
    // As a real one, which loses what is on its way.
    if (this.isEnded) this.destroy();
    if (this.#isReading && this.#unread.length === 0) {
      this.received += text;
      if (done !== undefined) queueMicrotask(done);
    } else {
      this.#unread.push({ text, done });
      this.writableLength += text.length;
    }
    return this.writableLength === 0;
  }

  end(text?: string, callback?: () => void): this {
    if (typeof text === "string" && text !== "") this.write(text);
    if (callback !== undefined) this.once("finish", callback);
    this.isEnded = true;
    if (this.#unread.length === 0) this.#finish();
    return this;
  }

  #finish(): void {
    queueMicrotask(() => this.emit("finish"));
  }

  destroy(): this {
    if (this.isDestroyed) return this;
    this.isDestroyed = true;
    this.#unread = [];
    queueMicrotask(() => this.emit("close"));
    return this;
  }

  // As with a network, what is sent meanwhile comes later.
  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    if (this.#isPaused) queueMicrotask(() => this.#deliver());
    this.#isPaused = false;
    return this;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }
}
