// What a link minds of the streams of its client.

import { Redis } from "iovalkey";
import { expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { Link } from "../../../src/remote/valkey/link.js";
import type { ValkeyClient } from "../../../src/remote/valkey/valkey-client.js";
import { describeWith, lackOf, startServer } from "../servers.js";

describeWith("a link", lackOf("valkey"), () => {
  test("outlives a stream that fails twice", async () => {
    const server = await startServer({ kind: "valkey" });
    const client = new Redis({ port: server.port, lazyConnect: true });
    const expected = { at: "here", isCluster: false };
    const link = new Link(client as unknown as ValkeyClient, {
      env: nodeEnv,
      isOwn: true,
      expected,
    });
    try {
      await client.connect();
      const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
      // As TLSSocket does: an alert leaves it open, and then it is reset.
      client.stream.emit("error", new Error("an alert"));
      expect(() => client.stream.emit("error", reset)).not.toThrow();
    } finally {
      await link.hangUp();
      await server.stop();
    }
  });
});
