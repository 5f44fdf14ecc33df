// Replies that the server keeps for calls that have settled, so that their copies find them.
//
// A slot keeps the reply of its last call. After many calls at once, such as pops of large values, that
// is a lot of bytes which nobody will ask for again: so the server is told to forget them, now and
// then, and keeps no more than `keptBytesMax` for long, besides small replies.

import type { Reply } from "../connection.js";

const keptBytesMax = 262_144;
/** Smaller replies are not worth a word. */
const smallBytesMax = 1_024;

export class KeptReplies {
  #bytes = 0;
  #sequences: number[] = [];

  /** Notes that a call has been answered; the sequences of which the replies are to be forgotten. */
  add(sequence: number, reply: Reply): readonly number[] {
    const bytes = bytesOf(reply);
    if (bytes <= smallBytesMax) return [];
    this.#bytes += bytes;
    this.#sequences.push(sequence);
    if (this.#bytes < keptBytesMax) return [];
    const sequences = this.#sequences;
    this.clear();
    return sequences;
  }

  clear(): void {
    this.#bytes = 0;
    this.#sequences = [];
  }
}

function bytesOf(reply: Reply): number {
  if (reply instanceof Uint8Array) return reply.length;
  if (typeof reply !== "object" || reply === null) return 8;
  return reply.reduce((sum: number, each) => sum + bytesOf(each), 0);
}
