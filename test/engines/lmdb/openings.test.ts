// Several processes open a new file at the same time and write at once: nothing that was acknowledged
// is undone. lmdb 3.5.6 sets the number of the last transaction back when a process opens a file while
// another one commits; the next writer then took a number again, began at an older state, and what had
// been committed was gone, or a process ended with SIGSEGV. ANYKV_OPENINGS sets the number of rounds.

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Peer, processes } from "./taking-turns.js";

const rounds = Number(process.env.ANYKV_OPENINGS ?? 200);
/** Where a commit takes no time, so that it falls into an opening more often. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

let compiled: CompiledPackage;
let directory = "";
let peers: Peer[] = [];

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  directory = mkdtempSync(join(scratch, "anykv-openings-"));
  peers = Array.from({ length: processes }, () => new Peer(compiled));
});

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.end()));
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

async function work(peer: Peer, store: number, member: number): Promise<void> {
  const options = {
    backend: "disk",
    name: `opening-${store}`,
    path: join(directory, `store-${store}`),
    disk: { timeout: 0 },
  } as const;
  const place = { store, handle: 1, now: 0 };
  await peer.send({ kind: "open", seed: member, options, ...place }).result;
  const call = (method: string, ...args: unknown[]) =>
    peer.send({ kind: "call", method, args, signal: false, ...place }).result;
  for (let write = 0; write < 5; write++) {
    await call("set", `${member}:${write}`, write);
    await call("incrementBy", "count", 1);
  }
}

test(
  `${rounds} new files, each opened by ${processes} processes at once`,
  async () => {
    for (let store = 0; store < rounds; store++) {
      await Promise.all(peers.map((peer, member) => work(peer, store, member)));
      const call = (peer: Peer, method: string, ...args: unknown[]) =>
        peer.send({ kind: "call", method, args, signal: false, store, handle: 1, now: 0 }).result;
      for (const peer of peers) {
        expect(await call(peer, "get", "count"), `file ${store}`).toBe(5 * processes);
        expect(await call(peer, "size"), `file ${store}`).toBe(5 * processes + 1);
      }
      await Promise.all(peers.map((peer) => call(peer, "close")));
    }
    const files = Array.from({ length: rounds }, (_, store) => `store-${store}`);
    const expected = files.flatMap((file) => [file, `${file}-lock`]).sort();
    expect(readdirSync(directory).sort()).toEqual(expected);
  },
  60_000 + rounds * 500,
);
