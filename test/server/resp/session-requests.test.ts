// What clients are told of their connection and of the server is what a real server tells, byte for
// byte, apart from who it is.

import { connect } from "node:net";
import { openKv } from "anykv";
import { serve } from "anykv/server";
import { expect, test } from "vitest";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { bytesIn, sessionRequests } from "./session-requests.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

/** All that comes back to one connection, which says that it sends nothing more. */
function answerOf(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // A server that closes a connection with unread bytes resets it.
      if (error.code !== "ECONNRESET") reject(error);
    });
  });
}

/** Without what has to be different: who the server is, and numbers of connections. */
function likeAnyServer(text: string): string {
  return text
    .replace(/\$6\r\nserver\r\n\$\d+\r\n\w+\r\n/, "server\r\n")
    .replace(/\$7\r\nversion\r\n\$5\r\n[\d.]+\r\n/, "version\r\n")
    .replace(/\$2\r\nid\r\n:\d+\r\n/, "id\r\n");
}

describeWith("requests that concern connections and the server", lack, () => {
  test("are answered as by Valkey", async () => {
    const server = await startServer({ kind: "valkey" });
    const kv = openKv({ backend: "memory", name: "session requests" });
    const own = await serve(kv, { resp: { port: 0 } });
    const found: unknown[] = [];
    for (const request of sessionRequests) {
      const bytes = bytesIn(request);
      const theirs = likeAnyServer(await answerOf(server.port, bytes));
      const ours = likeAnyServer(await answerOf(own.address.resp?.port ?? 0, bytes));
      if (ours !== theirs) found.push({ request, ours, theirs });
    }
    expect(found).toEqual([]);
    await own.close();
    await kv.close();
    await server.stop();
  });
});
