// A connection to a real server that gives replies as they came, byte for byte.

import { connect, type Socket } from "node:net";
import { bytesOf } from "../../../src/server/resp/argument.js";
import { argumentsOf, type Word } from "./direct-door.js";

/** The position behind the reply that begins at `start`; undefined when it has not come as a whole. */
export function replyEnd(text: string, start = 0): number | undefined {
  const line = text.indexOf("\r\n", start);
  if (line < 0) return undefined;
  const behind = line + 2;
  const count = Number(text.slice(start + 1, line));
  switch (text[start]) {
    case "$":
    case "=":
    case "!":
      if (count < 0) return behind;
      return behind + count + 2 <= text.length ? behind + count + 2 : undefined;
    case "*":
    case "~":
    case ">":
      return partsEnd(text, behind, count);
    case "%":
      return partsEnd(text, behind, 2 * count);
    default:
      return behind;
  }
}

function partsEnd(text: string, start: number, count: number): number | undefined {
  let end: number | undefined = start;
  for (let left = count; left > 0 && end !== undefined; left--) end = replyEnd(text, end);
  return end;
}

export class WirePeer {
  readonly #socket: Socket;
  #received = "";
  readonly #waiting: ((reply: string) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#give();
    });
    socket.on("error", () => {});
  }

  static async connect(port: number): Promise<WirePeer> {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new WirePeer(socket);
  }

  #give(): void {
    let end = replyEnd(this.#received);
    while (end !== undefined && this.#waiting.length > 0) {
      const reply = this.#received.slice(0, end);
      this.#received = this.#received.slice(end);
      this.#waiting.shift()?.(reply);
      end = replyEnd(this.#received);
    }
  }

  run(...words: Word[]): Promise<string> {
    const parts = argumentsOf(words).map(bytesOf);
    const pieces = [Buffer.from(`*${parts.length}\r\n`)];
    for (const part of parts) {
      pieces.push(Buffer.from(`$${part.length}\r\n`), Buffer.from(part), Buffer.from("\r\n"));
    }
    this.#socket.write(Buffer.concat(pieces));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}
