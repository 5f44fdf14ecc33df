// Requests at the edges are answered byte for byte as by a real server.

import { expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { DirectDoor, type Serialization } from "./direct-door.js";
import { oddRequests, wordsOf } from "./odd-requests.js";
import { WirePeer } from "./wire-peer.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

/** Whose replies are known to be different, and where docs/resp.md says so. */
const differs: Readonly<Record<string, string>> = {};

const serializations: readonly Serialization[] = ["json", "string", "bytes"];

describeWith("requests at the edges", lack, () => {
  for (const serialization of serializations) {
    for (const protocol of [2, 3] as const) {
      test(`${serialization} store, RESP${protocol}`, async () => {
        const server = await startServer({ kind: "valkey" });
        const peer = await WirePeer.connect(server.port);
        if (protocol === 3) await peer.run("HELLO", "3");
        const door = new DirectDoor({ serialization, protocol, env: nodeEnv });
        const found: unknown[] = [];
        for (const request of oddRequests) {
          const words = wordsOf(request);
          if (serialization === "bytes" && /^H/.test(request)) continue;
          const [ours, theirs] = [door.run(...words), await peer.run(...words)];
          if (ours !== (differs[request] ?? theirs)) found.push({ request, ours, theirs });
        }
        expect(found).toEqual([]);
        expect(door.problems()).toEqual([]);
        peer.close();
        await server.stop();
      });
    }
  }
});
