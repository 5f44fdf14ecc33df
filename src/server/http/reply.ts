// Reply: what goes out, in one piece or in many.

import type { ServerResponse } from "node:http";
import { Disconnected } from "./body.js";
import { stateOf, whenOver } from "./connection-state.js";

export const jsonType = "application/json";
const usual = ["Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];

type Headers = Readonly<Record<string, string>>;

/** What is handed to a connection at once. With TLS, Node sees no progress within one write. */
const pieceBytes = 262_144;

/**
 * One write of head and body, if it is not large; of an answer to HEAD the body stays here. Resolves
 * when little of it is left to be taken. @throws Disconnected
 */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers?: Headers,
): Promise<void> | undefined {
  const length = Buffer.byteLength(text);
  const head = ["Content-Type", type, "Content-Length", String(length), ...usual];
  if (headers !== undefined) {
    for (const [name, value] of Object.entries(headers)) head.push(name, value);
  }
  // Whatever it has waited for has come.
  stateOf(response.req.socket).waiting.delete(response);
  response.writeHead(status, head);
  if (length > pieceBytes) return sendPieces(response, Buffer.from(text));
  response.end(text);
  return undefined;
}

async function sendPieces(response: ServerResponse, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await writePiece(response, bytes.subarray(at, at + pieceBytes));
  }
  response.end();
}

/** Begins an answer of unknown length. */
export function beginStream(response: ServerResponse, type: string, headers: Headers = {}): void {
  const head = ["Content-Type", type, ...usual];
  for (const [name, value] of Object.entries(headers)) head.push(name, value);
  response.writeHead(200, head);
}

/** Resolves when the caller has taken enough for more. @throws Disconnected */
export async function writePiece(
  response: ServerResponse,
  piece: string | Uint8Array,
): Promise<void> {
  if (hasGone(response)) throw new Disconnected("the caller has hung up");
  if (!response.write(piece)) await drained(response);
}

function hasGone({ destroyed, req }: ServerResponse): boolean {
  return destroyed || req.socket.destroyed;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off("drain", settle);
      forget();
      if (hasGone(response)) reject(new Disconnected("the caller has hung up"));
      else resolve();
    };
    const forget = whenOver(response, settle);
    response.on("drain", settle);
  });
}
