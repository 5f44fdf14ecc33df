// Requests and replies of RESP2 as a client has them that trusts nobody: every reply is read to its
// last byte, and what is no reply is an error. Texts are ASCII here.

export type Reply = string | number | null | WireError | readonly Reply[];

/** An error that the server has replied. */
export class WireError {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Word = string | number;

export function encoded(words: readonly Word[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    const part = `${word}`;
    text += `$${part.length}\r\n${part}\r\n`;
  }
  return text;
}

const lineEnd = "\r\n";

export class ReplyReader {
  #text = "";
  #at = 0;
  // How much text there must be before it is worth looking again.
  #needed = 0;

  get isEmpty(): boolean {
    return this.#text === "";
  }

  /** Gives the replies that are whole by now. Throws when something is no reply. */
  *push(chunk: string): Iterable<Reply> {
    this.#text += chunk;
    while (this.#text.length > 0 && this.#text.length >= this.#needed) {
      this.#at = 0;
      this.#needed = 0;
      const reply = this.#next();
      if (reply === undefined) return;
      this.#text = this.#text.slice(this.#at);
      yield reply;
    }
  }

  /** undefined when it has not come as a whole. */
  #next(): Reply | undefined {
    const end = this.#text.indexOf(lineEnd, this.#at);
    if (end < 0) return undefined;
    const kind = this.#text[this.#at];
    const line = this.#text.slice(this.#at + 1, end);
    this.#at = end + 2;
    if (kind === "+") return line;
    if (kind === "-") return new WireError(line);
    if (!/^-?\d{1,16}$/.test(line)) throw new Error(`no reply: ${kind}${line.slice(0, 100)}`);
    if (kind === ":") return Number(line);
    if (kind === "$") return this.#bulk(Number(line));
    if (kind === "*") return this.#list(Number(line));
    throw new Error(`no reply: ${kind}${line.slice(0, 100)}`);
  }

  #bulk(length: number): string | null | undefined {
    if (length === -1) return null;
    const end = this.#at + length;
    if (this.#text.length < end + 2) {
      this.#needed = end + 2;
      return undefined;
    }
    if (!this.#text.startsWith(lineEnd, end)) throw new Error("a text has another length");
    const text = this.#text.slice(this.#at, end);
    this.#at = end + 2;
    return text;
  }

  #list(count: number): Reply[] | null | undefined {
    if (count === -1) return null;
    const list: Reply[] = [];
    while (list.length < count) {
      const part = this.#next();
      if (part === undefined) return undefined;
      list.push(part);
    }
    return list;
  }
}
