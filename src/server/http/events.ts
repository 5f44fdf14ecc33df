// Events: the state of the store as server-sent events, again and again.
//
// Each stream asks anew when its interval is over and the last event has been taken, so a caller that
// reads slowly gets fewer of them and none is kept for it. Streams are bounded in number; one whose
// caller has gone leaves no timer behind.

import type { ServerResponse } from "node:http";
import type { Timer } from "../../env/env.js";
import type { MetricsSnapshot } from "../../kv/metrics.js";
import { whenOver } from "./connection-state.js";
import { type DoorContext, type Exchange, integerIn, queryOf, type Route } from "./exchange.js";
import { toldStats } from "./operations/upkeep.js";
import { errorAnswer, refused } from "./refusal.js";
import { beginStream } from "./reply.js";

const intervalMsDefault = 1_000;
const intervalMsMin = 100;
const intervalMsMax = 60_000;

export class EventStreams {
  readonly #context: DoorContext;
  readonly #streams = new Set<EventStream>();
  #isClosed = false;

  constructor(context: DoorContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#streams.size;
  }

  route(): Route {
    return {
      name: "stats.events",
      method: "GET",
      access: "read",
      handle: (exchange) => this.#open(exchange),
    };
  }

  /** Ends all streams, and those that are asked for later as soon as they begin. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.end();
  }

  /** Resolves when the stream has ended. */
  #open(exchange: Exchange): Promise<void> {
    const interval = integerIn(queryOf(exchange, ["interval"]), "interval") ?? intervalMsDefault;
    if (interval < intervalMsMin || interval > intervalMsMax) {
      throw refused(400, `"interval" must be ${intervalMsMin} to ${intervalMsMax} milliseconds`);
    }
    const { eventStreamsMax } = this.#context.settings;
    if (this.#streams.size >= eventStreamsMax) {
      throw refused(503, `there are ${eventStreamsMax} streams of events already`, undefined, {
        "Retry-After": "10",
      });
    }
    beginStream(exchange.response, "text/event-stream");
    if (exchange.request.method === "HEAD" || this.#isClosed) {
      exchange.response.end();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const stream = new EventStream(this.#context, exchange.response, interval);
      this.#streams.add(stream);
      whenOver(exchange.response, () => {
        this.#streams.delete(stream);
        stream.end();
        resolve();
      });
      stream.begin();
    });
  }
}

class EventStream {
  readonly #context: DoorContext;
  readonly #response: ServerResponse;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #hasEnded = false;
  #events = 0;

  constructor(context: DoorContext, response: ServerResponse, intervalMs: number) {
    this.#context = context;
    this.#response = response;
    this.#intervalMs = intervalMs;
  }

  begin(): void {
    void this.#tell();
  }

  end(): void {
    this.#hasEnded = true;
    this.#timer?.cancel();
    this.#response.end();
  }

  /** Never rejects: an error is the last event. */
  async #tell(): Promise<void> {
    // What has not been taken yet is enough.
    if (!this.#response.writableNeedDrain) {
      try {
        const data = await this.#look();
        if (this.#hasEnded) return;
        this.#write("stats", data);
      } catch (error) {
        if (this.#hasEnded) return;
        this.#write("error", errorAnswer(error, this.#context.naming).body);
        this.end();
        return;
      }
    }
    this.#timer = this.#context.env.timers.after(this.#intervalMs, () => void this.#tell(), true);
  }

  #write(event: string, data: object): void {
    this.#response.write(
      `event: ${event}\nid: ${this.#events++}\ndata: ${JSON.stringify(data)}\n\n`,
    );
  }

  async #look(): Promise<object> {
    const { kv, env } = this.#context;
    const stats = toldStats(await kv.stats());
    return { time: env.clock.now(), stats, metrics: await metricsOf(this.#context) };
  }
}

/** null where the store measures nothing. */
async function metricsOf({ kv }: DoorContext): Promise<MetricsSnapshot | null> {
  const metrics = await kv.metrics().catch(() => null);
  return metrics?.operations == null ? null : metrics;
}
