// Copies to and from stores on a server.

import { describe } from "vitest";
import type { Env } from "../../src/env/env.js";
import { RemoteStore } from "../../src/remote/remote-store.js";
import { PlainConnection } from "../remote/plain-connection.js";
import { describeWith, lackOf } from "../remote/servers.js";
import { theClient, useServer } from "../remote/valkey-factory.js";
import { verifyStore } from "../remote/verify-store.js";
import { contentCases, pairCases, resumeCases, writerCases } from "./copy-cases.js";

/** `backend` is "valkey" and the number of partitions. */
async function open(backend: string, name: string, env: Env): Promise<RemoteStore> {
  const partitions = Number(backend.slice(6));
  const place = { store: name, partitions, clock: "test", form: "functions" } as const;
  const connection = new PlainConnection(theClient(), env, place);
  const store = await RemoteStore.open(connection, env, {
    ...{ serialization: "json", trackKeys: false },
    ...{ pollMsMax: 3_600_000, reapMsMax: Infinity },
  });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await verifyStore(theClient(), place);
  };
  return store;
}

describeWith("on valkey-server", lackOf("valkey"), () => {
  useServer("valkey");

  describe.each([
    ["memory", "valkey1"],
    ["wal", "valkey3"],
    ["disk", "valkey1"],
    ["valkey1", "memory"],
    ["valkey3", "disk"],
    ["valkey1", "wal"],
    ["valkey1", "valkey3"],
    ["valkey3", "valkey1"],
  ])("%s to %s", (source, target) => {
    pairCases({ source, target, open });
  });

  describe.each([
    ["memory", "valkey1"],
    ["memory", "valkey3"],
    ["valkey3", "memory"],
  ])("%s to %s", (source, target) => {
    contentCases({ source, target, open });
    resumeCases({ source, target, open });
    writerCases({ source, target, open });
  });
});
