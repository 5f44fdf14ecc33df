// Eight processes work on one store at the same time: no claim is handed out twice, counters are
// exact, what is popped is popped once, and every count is right at the end; also while one of them
// is killed with -9 every 100 ms and started again.
//
// ANYKV_CROWD_OPERATIONS sets the operations of each process, ANYKV_CROWD_KILLS the number of kills.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenKvOptions, openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Books, furnish, Member, members, programs } from "../../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const operations = Number(process.env.ANYKV_CROWD_OPERATIONS ?? 400);
const kills = Number(process.env.ANYKV_CROWD_KILLS ?? 10);
const killEveryMs = 100;

let compiled: CompiledPackage;
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage(programs);
  directory = mkdtempSync(join(tmpdir(), "anykv-crowd-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

const optionsOf = (path: string): OpenKvOptions => {
  return { backend: "disk", name: "crowd", path, disk: { timeout: 0 } };
};

async function furnishAt(path: string): Promise<void> {
  await using kv = openKv({ backend: "disk", name: `furnish-${path}`, path });
  await furnish(kv);
}

async function checkAll(path: string, books: Books): Promise<void> {
  await using kv = openKv({ backend: "disk", name: `check-${path}`, path, trackKeys: true });
  await books.check(kv);
}

test(
  `${members} processes of ${operations} operations each`,
  async () => {
    const path = join(directory, "crowd");
    const books = new Books();
    await furnishAt(path);
    const crowd = Array.from({ length: members }, (_, number) => {
      const work = { name: `m${number}`, seed: number + 1, operations };
      return new Member(compiled, books, { options: optionsOf(path), ...work });
    });
    await Promise.all(crowd.map(({ ended }) => ended));
    expect(books.done).toBe(members);
    await checkAll(path, books);
    console.info(`crowd: ${books.summary}`);
  },
  60_000 + members * operations * 5,
);

test(
  `${members} processes, one of which is killed every ${killEveryMs} ms, ${kills} times`,
  async () => {
    const path = join(directory, "killed");
    const books = new Books();
    await furnishAt(path);
    let started = 0;
    const start = (): Member => {
      const work = { name: `k${++started}`, seed: 1_000 + started, operations };
      return new Member(compiled, books, { options: optionsOf(path), ...work });
    };
    const crowd = Array.from({ length: members }, start);
    for (let kill = 0; kill < kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs));
      const victim = crowd[kill % members] as Member;
      if (victim.isAlive) books.kills++;
      victim.kill();
      await victim.ended;
      crowd[kill % members] = start();
    }
    await Promise.all(crowd.map(({ ended }) => ended));
    await checkAll(path, books);
    console.info(`crowd with kills: ${books.summary}`);
  },
  60_000 + members * operations * 10 + kills * 1_000,
);
