// Unreadable: the answer to what is no request, before the connection is closed.

import type { Socket } from "node:net";
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
  // Somebody who has gone, or an answer that is on its way already.
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
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
