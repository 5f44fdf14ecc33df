// Eight processes work on one store on a server at the same time, while the server's connections are
// killed, and processes with -9: no claim is live twice, counters are exact for what was acknowledged,
// what is popped is popped once, and every count and the whole layout are right at the end. How much:
// server-crowd.ts.

import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { members, programs } from "../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { plainClient } from "./plain-connection.js";
import { type CrowdPlace, crowdSize, timeoutMsOf, work } from "./server-crowd.js";
import { describeWith, lackOfAny, type Server, startServer } from "./servers.js";
import { verifyStore } from "./verify-store.js";

const lack = lackOfAny();
const timeoutMs = timeoutMsOf(crowdSize);

let compiled: CompiledPackage;
let server: Server;
let client: Redis;
let place: CrowdPlace;

beforeAll(async () => {
  if (lack !== undefined) return;
  compiled = await compilePackage(programs);
  server = await startServer();
  client = await plainClient(server.port, "server");
  place = {
    size: crowdSize,
    address: { port: server.port },
    cut: async () => Number(await client.call("CLIENT", "KILL", "TYPE", "normal")),
    verify: (store, partitions) => verifyStore(client, { store, partitions }),
  };
}, 60_000);

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
  compiled?.remove();
});

describeWith(
  `${members} processes of ${crowdSize.operations} operations each on a server`,
  lack,
  () => {
    test.each([1, 3])(
      "whose connections are killed, with writes that are sent again, in %i partitions",
      async (partitions) => {
        const row = { store: `retried-${partitions}`, partitions, retryWrites: true, kills: 0 };
        const books = await work({ compiled, place }, row);
        // So the books have been exact: nothing but the acknowledged has happened.
        expect(books.uncertain).toBe(0);
        expect(books.done).toBe(members);
      },
      timeoutMs,
    );

    test(
      "whose connections are killed, with writes that are not sent again",
      async () => {
        const row = { store: "unretried", partitions: 3, retryWrites: false, kills: 0 };
        const books = await work({ compiled, place }, row);
        // Otherwise it has not been shown that they are told apart.
        expect(books.uncertain).toBeGreaterThan(0);
        expect(books.done).toBe(members);
      },
      timeoutMs,
    );

    test.each([
      { store: "killed-1", partitions: 1, retryWrites: false, kills: crowdSize.kills },
      { store: "killed-3", partitions: 3, retryWrites: true, kills: crowdSize.kills },
    ])(
      "that are killed with -9, and their connections, in $partitions partitions, retryWrites: $retryWrites",
      async (row) => {
        const books = await work({ compiled, place }, row);
        expect(books.kills).toBeGreaterThan(0);
      },
      timeoutMs,
    );
  },
);
