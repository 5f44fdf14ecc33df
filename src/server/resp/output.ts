// Output: what is on its way to a client.
//
// Replies are handed to the socket in pieces, and no more of them than it can soon send: so it shows
// whether somebody reads, however large a reply is, and what waits is known.

import type { Socket } from "node:net";
import type { Encoded } from "./encoder.js";

const pieceBytes = 262_144;
/** More than this is handed over at once. */
const laterBytesMax = 16_384;
/** What a socket is given beyond what the system takes from it. */
const socketBytesMax = 1_048_576;

export class Output {
  readonly #socket: Socket;
  /** Told when something has been sent that had to wait. */
  readonly #onProgress: () => void;
  // Put together, and not handed over yet; and what goes behind the reply that comes next.
  #gathered: Encoded = "";
  #behind: Encoded = "";
  #replies = 0;
  #waiting: Encoded[] = [];
  #waitingBytes = 0;
  #isEnding = false;
  // Whether something waits: it hardly ever does, and is asked for with every request.
  #isPending = false;

  constructor(socket: Socket, onProgress: () => void) {
    this.#socket = socket;
    this.#onProgress = onProgress;
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#isPending ? this.#socket.writableLength + this.#waitingBytes : 0;
  }

  get gatheredBytes(): number {
    return this.#gathered.length + this.#behind.length;
  }

  /** Whether it is worth while to wait for the end of a turn of the event loop, and for little. */
  get mayWait(): boolean {
    return this.#replies > 1 && this.gatheredBytes <= laterBytesMax;
  }

  gather(reply: Encoded): void {
    this.#replies++;
    this.#gathered += reply;
    if (this.#behind === "") return;
    this.#gathered += this.#behind;
    this.#behind = "";
  }

  /** What is sent while a request is carried out, whose reply goes first. */
  gatherBehind(text: Encoded): void {
    this.#behind += text;
  }

  /** Hands over what has been gathered. */
  flush(): void {
    const text = this.#gathered + this.#behind;
    this.#gathered = "";
    this.#behind = "";
    this.#replies = 0;
    // What comes behind the end, as a message, would be an error, and cost what is on its way.
    if (text !== "" && !this.#isEnding && !this.#socket.destroyed) this.#write(text);
  }

  #write(text: Encoded): void {
    if (this.#waitingBytes === 0 && text.length <= pieceBytes) {
      if (this.#socket.writableLength < socketBytesMax) {
        this.#socket.write(text, "latin1");
        if (this.#socket.writableLength > 0) this.#watch();
        return;
      }
    }
    this.#isPending = true;
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#goOn();
  }

  /** Closes the connection when everything has been sent. */
  end(): void {
    this.#isEnding = true;
    if (this.#waitingBytes === 0) this.#socket.end();
  }

  #goOn(): void {
    const socket = this.#socket;
    const waiting = this.#waiting;
    let done = 0;
    while (done < waiting.length && socket.writableLength < socketBytesMax) {
      const text = waiting[done] as Encoded;
      const piece = text.length <= pieceBytes ? text : text.slice(0, pieceBytes);
      socket.write(piece, "latin1", this.#sentPiece);
      this.#waitingBytes -= piece.length;
      if (piece.length === text.length) done++;
      else waiting[done] = text.slice(piece.length);
    }
    if (done > 0) waiting.splice(0, done);
    if (this.#isEnding && this.#waitingBytes === 0) socket.end();
  }

  #isWatching = false;

  #watch(): void {
    this.#isPending = true;
    if (this.#isWatching) return;
    this.#isWatching = true;
    // An empty piece behind the others tells when they have gone.
    this.#socket.write("", this.#sent);
  }

  readonly #sent = (error?: Error | null): void => {
    this.#isWatching = false;
    // More has been written since: it is watched, too.
    if (!error && this.#socket.writableLength > 0) this.#watch();
    this.#sentPiece(error);
  };

  readonly #sentPiece = (error?: Error | null): void => {
    if (error) return;
    this.#goOn();
    this.#isPending = this.pendingBytes > 0;
    this.#onProgress();
  };
}
