// The lock of a directory: one owner at a time, whoever comes at once, whoever was killed and whatever
// a power cut has made of the file.

import { seededRandom, virtualEnv } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { DirectoryLock } from "../../../src/engines/wal/directory-lock.js";
import type { Processes } from "../../../src/env/processes.js";
import { crashed } from "../../../src/testing/simulated-crash.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../../src/testing/simulated-host.js";

const path = "/LOCK";

function acquire(
  disk: SimulatedDisk,
  processes: Processes,
  files = new SimulatedFiles({ disk }),
): Promise<DirectoryLock> {
  return DirectoryLock.acquire(virtualEnv({ files, processes }), path);
}

function contentOf(disk: SimulatedDisk): string {
  const file = disk.entry(path);
  return typeof file === "number" ? disk.shown(file).toString() : "";
}

describe("an owner", () => {
  test("keeps others out, who are told where it is", async () => {
    const host = new SimulatedHost();
    const disk = new SimulatedDisk();
    const owner = host.start();
    const lock = await acquire(disk, owner);
    const message = `${path} is in use by process ${owner.id}`;
    const refused = { name: "DiskStoreOpenError", message };
    await expect(acquire(disk, host.start())).rejects.toMatchObject(refused);
    await expect(acquire(disk, owner)).rejects.toMatchObject(refused);
    await lock.release();
    await acquire(disk, host.start());
  });

  test("on another host cannot be asked, and counts as alive", async () => {
    const disk = new SimulatedDisk();
    const elsewhere = new SimulatedHost("elsewhere");
    const owner = elsewhere.start();
    await acquire(disk, owner);
    elsewhere.kill(owner);
    const refused = acquire(disk, new SimulatedHost("here").start());
    await expect(refused).rejects.toThrow(/process \d on elsewhere$/);
  });

  test("in another container of this host cannot be asked, and counts as alive", async () => {
    const host = new SimulatedHost();
    const disk = new SimulatedDisk();
    const inside = (processes: Processes, namespace: string) => ({ ...processes, namespace });
    const owner = inside(host.start(), "pid:[1]");
    const lock = await acquire(disk, owner);
    host.kill(owner);
    const refused = acquire(disk, inside(host.start(), "pid:[2]"));
    const hint = expect.stringContaining(`remove ${path}`);
    await expect(refused).rejects.toMatchObject({ name: "DiskStoreOpenError", hint });
    await lock.release();
    await acquire(disk, inside(host.start(), "pid:[2]"));
  });

  test("of which the system does not say since when it runs counts as alive", async () => {
    const host = new SimulatedHost();
    const disk = new SimulatedDisk();
    await acquire(disk, host.start());
    const hidden = { ...host.start(), startOf: () => "" };
    await expect(acquire(disk, hidden)).rejects.toThrow(/in use by process/);
  });

  test("that was killed holds nothing, also when another process has its number now", async () => {
    const host = new SimulatedHost();
    const disk = new SimulatedDisk();
    for (let round = 0; round < 10; round++) {
      const owner = host.start();
      await acquire(disk, owner);
      host.kill(owner);
    }
    expect(contentOf(disk).trim().split("\n")).toHaveLength(1);
  });
});

test("of several that come at once, or find a stale lock at once, one wins", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const host = new SimulatedHost();
    const disk = new SimulatedDisk();
    for (let round = 0; round < 3; round++) {
      const contenders = [host.start(), host.start(), host.start()];
      const attempts = contenders.map((processes, index) => {
        const random = seededRandom(seed * 100 + round * 10 + index);
        return acquire(disk, processes, new SimulatedFiles({ disk, random }));
      });
      const settled = await Promise.allSettled(attempts);
      const winners = settled.filter(({ status }) => status === "fulfilled");
      expect(winners, `seed ${seed}, round ${round}`).toHaveLength(1);
      for (const contender of contenders) host.kill(contender);
    }
  }
});

test("a power cut leaves nothing that keeps anyone out", async () => {
  for (let seed = 0; seed < 500; seed++) {
    const host = new SimulatedHost();
    const files = new SimulatedFiles();
    await (await files.open(path, "append")).close();
    await files.syncDirectory("/");
    const owner = host.start();
    await acquire(files.disk, owner, files);
    host.kill(owner);
    const next = host.start();
    const lock = await acquire(files.disk, next, files);
    await lock.release();
    host.kill(next);
    const cut = seed % 2 === 0 ? "sector" : "byte";
    const mode =
      seed % 3 === 0 ? ({ kind: "torn", cut, seed } as const) : ({ kind: "pages", seed } as const);
    const disk = crashed(files.disk, mode);
    await expect(acquire(disk, host.start()), `seed ${seed}`).resolves.toBeDefined();
  }
});

test("a file system that fails keeps nobody out of the own directory", async () => {
  for (const lasting of [false, true]) {
    for (let call = 0; call < 14; call++) {
      const host = new SimulatedHost();
      const processes = host.start();
      const files = new SimulatedFiles();
      files.failAt(call, "ENOSPC", lasting);
      const lock = await acquire(files.disk, processes, files).catch(() => undefined);
      await lock?.release();
      files.heal();
      await expect(acquire(files.disk, processes, files)).resolves.toBeDefined();
      expect(files.openHandles).toBe(0);
    }
  }
});
