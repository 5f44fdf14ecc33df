// Unreadable: the answer to what is no request, before the connection is closed.

import type { Socket } from "node:net";
import { stateOf, whenOver } from "./connection-state.js";
import { errorAnswer, refused } from "./refusal.js";

const reasons: Readonly<Record<string, readonly [status: number, line: string, message: string]>> =
  {
    HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the header is too large"],
    HPE_CHUNK_EXTENSIONS_OVERFLOW: [
      413,
      "Payload Too Large",
      "the chunks have too much beside them",
    ],
    ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request has taken too long to arrive"],
  };

export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  const state = stateOf(socket);
  // Somebody who has gone; or who ends in the middle of a request and would not be missed by a wait.
  const isLeaving = error.code === "HPE_INVALID_EOF_STATE" && state.waiting.size > 0;
  if (error.code === "ECONNRESET" || !socket.writable || isLeaving) {
    socket.destroy();
    return;
  }
  // What came before is answered, and this would be taken for its answer.
  const complete = [...state.untaken].filter(({ req }) => req.complete);
  const last = complete.at(-1);
  if (last !== undefined) {
    if (!state.isUnreadable) whenOver(last, () => socket.destroy());
    state.isUnreadable = true;
    return;
  }
  // Nor can it be told once an answer to the request itself has begun.
  if ([...state.untaken].some(({ headersSent }) => headersSent)) {
    socket.destroy();
    return;
  }
  const [status, line, message] = reasons[error.code ?? ""] ?? [
    400,
    "Bad Request",
    "the request is no HTTP",
  ];
  const body = JSON.stringify(errorAnswer(refused(status, message), []).body);
  const head = [
    `HTTP/1.1 ${status} ${line}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
