// Channels: who has subscribed to what.

import { globOf } from "./glob.js";

export class Channels<Subscriber> {
  readonly #channels = new Map<string, Set<Subscriber>>();
  readonly #patterns = new Map<
    string,
    { matches: (name: string) => boolean; by: Set<Subscriber> }
  >();

  get names(): string[] {
    return [...this.#channels.keys()];
  }

  get patternCount(): number {
    return this.#patterns.size;
  }

  countOf(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel);
    if (subscribers === undefined) this.#channels.set(channel, new Set([subscriber]));
    else subscribers.add(subscriber);
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#channels.delete(channel);
  }

  subscribePattern(pattern: string, subscriber: Subscriber): void {
    const known = this.#patterns.get(pattern);
    if (known !== undefined) known.by.add(subscriber);
    else this.#patterns.set(pattern, { matches: globOf(pattern), by: new Set([subscriber]) });
  }

  unsubscribePattern(pattern: string, subscriber: Subscriber): void {
    const known = this.#patterns.get(pattern);
    known?.by.delete(subscriber);
    if (known?.by.size === 0) this.#patterns.delete(pattern);
  }

  /** Everybody who is to hear of a message, with the pattern where that is the reason; their number. */
  each(
    channel: string,
    tell: (subscriber: Subscriber, pattern: string | undefined) => void,
  ): number {
    let count = 0;
    for (const subscriber of this.#channels.get(channel) ?? []) {
      tell(subscriber, undefined);
      count++;
    }
    for (const [pattern, { matches, by }] of this.#patterns) {
      if (!matches(channel)) continue;
      for (const subscriber of by) {
        tell(subscriber, pattern);
        count++;
      }
    }
    return count;
  }
}
