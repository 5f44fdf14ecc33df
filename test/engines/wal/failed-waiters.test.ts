// Whoever waits for an element is told when the log has failed: nothing can be added any more.

import { openKv } from "anykv";
import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";

test.each([true, false])("a failed log ends waiting pops, syncWrites: %s", async (syncWrites) => {
  const files = new SimulatedFiles();
  const env = virtualEnv({ files });
  const name = `failing ${syncWrites}`;
  const kv = openKv({ backend: "wal", name, path: "/store", env, wal: { syncWrites } });
  await kv.length("queue");
  const refused = { name: "DiskStoreWriteError" };
  const waiting = [kv.popFirstWait("queue"), kv.popWait("other")].map((pop) =>
    expect(pop).rejects.toMatchObject(refused),
  );
  files.failAt(files.calls.length, "EIO", true);
  const written = kv.set("key", 1).catch(() => {});
  for (let interval = 0; interval < 3; interval++) await env.advance(1_000);
  await Promise.all([...waiting, written]);
  expect(await kv.length("queue")).toBe(0);
  await expect(kv.append("queue", 1)).rejects.toMatchObject(refused);
  await kv.close().catch(() => {});
});
