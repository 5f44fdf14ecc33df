// Hostile requests: what clients may send that mean no good, from a seed. They begin as requests that
// are in order, so that much of what is damaged in them still means something.

import { seededRandom } from "anykv/testing";
import type { Random } from "../../../src/env/env.js";
import { CallDraws } from "../functions/call-draws.js";
import type { Word } from "./direct-door.js";
import { request } from "./door-bench.js";
import { requests } from "./random-requests.js";
import { bytesIn, sessionRequests } from "./session-requests.js";

type Bytes = string | Uint8Array;

const oddWords: readonly Bytes[] = [
  ...["", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1e400", "nan", "0x10"],
  ...["k", "k", "k", "l", "s", "h", "*", "[", "a*b?[c-", "\\", "NX", "XX", "EX", "PX", "KEEPTTL"],
  ...["GET", "COUNT", "MATCH", "LEFT", "RIGHT", "LIMIT", "TYPE", "WITHVALUES", "FILTERBY", "ID"],
  ...["\0", "\r\n", "é", "😀", "\ufffd", "x".repeat(300), "__proto__", "constructor"],
  new Uint8Array([0xff, 0xfe]),
  new Uint8Array([0xc3]),
];
/** In the place of a length or a number of words. */
const oddNumbers = [
  ...[
    "0",
    "-1",
    "-2",
    "1",
    "2",
    "3",
    "4",
    "00",
    "01",
    "+1",
    "-0",
    "",
    " ",
    "x",
    "1x",
    "0x4",
    "1.0",
  ],
  ...["1e3", "65536", "65537", "262145", "1048576", "1048577", "2147483647", "2147483648"],
  ...["4294967296", "-2147483648", "9007199254740993", "9223372036854775807", "9".repeat(40)],
  ...["9".repeat(70_000), "1\0", "1\r", "1\n", "\n", "\0"],
];
/** Words of other kinds than `$`, and lists within lists. */
const oddParts = [
  ...["+x\r\n", "-x\r\n", ":1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(1\r\n", "=5\r\ntxt:a\r\n"],
  ...[
    "*1\r\n$1\r\na\r\n",
    "*0\r\n",
    "*-1\r\n",
    "%1\r\n",
    "~1\r\n",
    ">1\r\n",
    "|1\r\n",
    "*1\r\n".repeat(2_000),
  ],
  ...["$-1\r\n", "$0\r\n\r\n", "$1\r\na", "$1\na\n", "\r\n", "\n", "\0"],
];
const inlineParts = [
  '"',
  "'",
  "\\x",
  "\\",
  "\0",
  "\r",
  "\n",
  "\t",
  '""',
  "a".repeat(70_000),
  "*",
  "$",
];

export interface HostileClient {
  /** All that it sends, in these pieces. */
  readonly pieces: readonly Buffer[];
  /** Then it says that it sends nothing more. */
  readonly leaves: boolean;
  /** It takes no reply. */
  readonly isDeaf: boolean;
}

export class HostileRequests {
  readonly #random: Random;
  readonly #names: readonly string[];
  readonly #drawn: Iterator<Word[]>;
  readonly #calls: CallDraws;
  readonly #storeKey: string;
  /** Requests so far, however often they are repeated. */
  made = 0;

  /** `names` are those of commands, `storeKey` is what FCALL names the store by. */
  constructor(seed: number, names: readonly string[], storeKey: string) {
    this.#random = seededRandom(seed);
    this.#names = names;
    this.#drawn = requests(seed, "json", Number.POSITIVE_INFINITY)[Symbol.iterator]();
    this.#calls = new CallDraws(this.#random);
    this.#storeKey = storeKey;
  }

  #below(bound: number): number {
    return this.#random.below(bound);
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  client(): HostileClient {
    const sent = Array.from({ length: 1 + this.#below(4) }, () => this.#request());
    const pieces = this.#below(3) === 0 ? this.#split(Buffer.concat(sent)) : sent;
    return { pieces, leaves: this.#below(4) === 0, isDeaf: this.#below(50) === 0 };
  }

  #request(): Buffer {
    this.made++;
    const words = this.#words();
    const kind = this.#below(12);
    if (kind === 0) return this.#inline(words);
    if (kind === 1) return this.#numbered(words);
    if (kind === 2) return this.#nested(words);
    if (kind === 3) return bytesIn(this.#one(sessionRequests));
    const bytes = request(...words);
    if (kind === 4) return repeated(bytes, 1 + this.#below(60));
    if (kind === 5) return Buffer.concat([request("MULTI"), bytes, request("EXEC")]);
    return kind < 9 ? bytes : this.#damaged(bytes);
  }

  #words(): Bytes[] {
    const kind = this.#below(5);
    if (kind < 2) {
      const words = this.#drawn.next().value as Word[];
      return words.map((word) => (typeof word === "number" ? `${word}` : word));
    }
    if (kind === 2) {
      const { operation, args } = this.#calls.draw();
      const name = this.#one(["FCALL", "FCALL", "FCALL_RO", "fcall"]);
      const key = this.#below(20) === 0 ? String(this.#one(oddWords)) : this.#storeKey;
      return [name, `anykv_${operation}`, "1", key, ...args.map(String)];
    }
    return [
      ...this.#one(this.#names).split("|"),
      ...Array.from({ length: this.#below(5) }, () => this.#one(oddWords)),
    ];
  }

  #inline(words: readonly Bytes[]): Buffer {
    const parts = words.flatMap((word) => {
      const odd = this.#below(6) === 0 ? [Buffer.from(this.#one(inlineParts))] : [];
      return [...odd, Buffer.from(word as string), Buffer.from(" ")];
    });
    return Buffer.concat([...parts, Buffer.from(this.#one(["\r\n", "\r\n", "\n", "\r", ""]))]);
  }

  /** With another length somewhere, or another number of words. */
  #numbered(words: readonly Bytes[]): Buffer {
    const at = this.#below(words.length + 1);
    const number = this.#one(oddNumbers);
    const count = at === words.length ? number : `${words.length}`;
    const parts = words.flatMap((word, index) => {
      const bytes = Buffer.from(word as string);
      const length = index === at ? number : `${bytes.length}`;
      return [Buffer.from(`$${length}\r\n`), bytes, Buffer.from("\r\n")];
    });
    return Buffer.concat([Buffer.from(`*${count}\r\n`), ...parts]);
  }

  /** With something else in the place of a word. */
  #nested(words: readonly Bytes[]): Buffer {
    const at = this.#below(words.length);
    const parts = words.map((word, index) => {
      if (index === at) return Buffer.from(this.#one(oddParts));
      const bytes = Buffer.from(word as string);
      return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
    });
    return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
  }

  /** Flipped, cut, spliced, with noise. */
  #damaged(bytes: Buffer): Buffer {
    const at = this.#below(bytes.length);
    const [before, behind] = [bytes.subarray(0, at), bytes.subarray(this.#below(bytes.length))];
    const kind = this.#below(4);
    if (kind === 0) {
      bytes[at] = this.#below(256);
      return bytes;
    }
    if (kind === 1) return before;
    if (kind === 2) return Buffer.concat([before, behind]);
    const noise = Buffer.from(Array.from({ length: this.#below(30) }, () => this.#below(256)));
    return Buffer.concat([before, noise, bytes.subarray(at)]);
  }

  #split(bytes: Buffer): Buffer[] {
    const longest = this.#one([1, 3, 50, 5_000]);
    const pieces: Buffer[] = [];
    // Not byte by byte where that takes long.
    const least = Math.ceil(bytes.length / 2_000);
    for (let at = 0; at < bytes.length; ) {
      const end = at + least + this.#below(longest);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  }
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}
