// Reply: what goes out, in one piece or in many.

import type { ServerResponse } from "node:http";
import { Disconnected } from "./body.js";
import { whenOver } from "./connection-state.js";

export const jsonType = "application/json";
const usual = ["Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];

type Headers = Readonly<Record<string, string>>;

/** One write of head and body; of an answer to HEAD the body stays here. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers?: Headers,
): void {
  const head = ["Content-Type", type, "Content-Length", String(Buffer.byteLength(text)), ...usual];
  if (headers !== undefined) {
    for (const [name, value] of Object.entries(headers)) head.push(name, value);
  }
  response.writeHead(status, head);
  response.end(text);
}

/** Begins an answer of unknown length. */
export function beginStream(response: ServerResponse, type: string, headers: Headers = {}): void {
  const head = ["Content-Type", type, ...usual];
  for (const [name, value] of Object.entries(headers)) head.push(name, value);
  response.writeHead(200, head);
}

/** Resolves when the caller has taken enough for more. @throws Disconnected */
export async function writePiece(response: ServerResponse, text: string): Promise<void> {
  if (hasGone(response)) throw new Disconnected("the caller has hung up");
  if (!response.write(text)) await drained(response);
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
