// Random requests are answered as by a real server (reply-pair.ts says what "as" means): by the
// commands alone, and over the wire on several engines. The tables fit together afterwards.

import { openKv } from "anykv";
import { serve } from "anykv/server";
import { expect, onTestFinished, test } from "vitest";
import { verifyLmdb } from "../../../src/engines/lmdb/verify.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { nodeEnv } from "../../../src/env/env.js";
import { checkRows } from "../../../src/operations/check.js";
import { Scratch } from "../../engines/lmdb/sample-store.js";
import { describeWith, findProgram, startServer } from "../../remote/servers.js";
import { DirectDoor, type Serialization } from "./direct-door.js";
import { requests } from "./random-requests.js";
import { Pair } from "./reply-pair.js";
import { WirePeer } from "./wire-peer.js";

const lack =
  findProgram("valkey-server") === undefined ? "valkey-server must be on the PATH" : undefined;

const rounds = Number(process.env.ANYKV_HISTORIES ?? 6);
const requestsPerRound = 600;
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);
const serializations: readonly Serialization[] = ["json", "string", "bytes"];

async function realServer(protocol: 2 | 3): Promise<WirePeer> {
  const server = await startServer({ kind: "valkey" });
  onTestFinished(() => server.stop());
  return connected(server.port, protocol);
}

async function connected(port: number, protocol: 2 | 3): Promise<WirePeer> {
  const peer = await WirePeer.connect(port);
  onTestFinished(() => peer.close());
  if (protocol === 3) await peer.run("HELLO", "3");
  return peer;
}

describeWith("random requests to the commands", lack, () => {
  for (const serialization of serializations) {
    for (const protocol of [2, 3] as const) {
      test(`${serialization} store, RESP${protocol}`, { timeout: 600_000 }, async () => {
        const peer = await realServer(protocol);
        for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
          await peer.run("FLUSHALL");
          const door = new DirectDoor({ serialization, protocol, env: nodeEnv });
          await new Pair(door, peer).runAll(seed, requests(seed, serialization, requestsPerRound));
          expect(door.problems(), `seed ${seed}`).toEqual([]);
          await door.store.close();
        }
      });
    }
  }
});

async function problemsOf(backend: string, path: string): Promise<unknown> {
  if (backend === "memory") return [];
  const { problems } =
    backend === "wal"
      ? await verifyWal(nodeEnv, path)
      : await verifyLmdb(nodeEnv, path, { check: checkRows });
  return problems;
}

const backends = ["memory", "wal", "disk"] as const;

describeWith("random requests over the wire", lack, () => {
  for (const [at, backend] of backends.entries()) {
    test(`${backend} store`, async () => {
      const protocol = at % 2 === 0 ? 3 : 2;
      const serialization = serializations[at % 3] as Serialization;
      const peer = await realServer(protocol);
      const scratch = new Scratch();
      onTestFinished(() => scratch[Symbol.dispose]());
      const path = scratch.file("store");
      const kv = openKv({
        name: `differential-${backend}`,
        backend,
        serialization,
        ...(backend !== "memory" && { path }),
      });
      const server = await serve(kv, { resp: { port: 0 } });
      const door = await connected(server.address.resp?.port as number, protocol);
      const seed = firstSeed + at;
      await new Pair(door, peer).runAll(seed, requests(seed, serialization, requestsPerRound));
      await server.close();
      await kv.close();
      expect(await problemsOf(backend, path)).toEqual([]);
    });
  }
});

/** What depends on chance or on the moment. */
const uncertain = /^(SPOP|SRANDMEMBER|HRANDFIELD|P?TTL|P?EXPIRETIME)$/;

test("pipelines are answered alike where commands share transactions and where they do not", async () => {
  const scratch = new Scratch();
  onTestFinished(() => scratch[Symbol.dispose]());
  const path = scratch.file("store");
  const kvs = [
    openKv({ name: "pipelines-memory", backend: "memory" }),
    openKv({ name: "pipelines-disk", backend: "disk", path }),
  ];
  const servers = await Promise.all(kvs.map((kv) => serve(kv, { resp: { port: 0 } })));
  const doors = await Promise.all(
    servers.map(({ address }) => connected(address.resp?.port as number, 2)),
  );
  const all = [...requests(firstSeed, "json", 3_000)].filter(
    ([name]) => !uncertain.test(`${name}`),
  );
  for (let at = 0; at < all.length; at += 40) {
    const batch = all.slice(at, at + 40);
    const [inMemory, onDisk] = await Promise.all(
      doors.map((door) => Promise.all(batch.map((words) => door.run(...words)))),
    );
    expect(onDisk, `seed ${firstSeed}, from ${at}`).toEqual(inMemory);
  }
  for (const server of servers) await server.close();
  for (const kv of kvs) await kv.close();
  expect(await problemsOf("disk", path)).toEqual([]);
});
