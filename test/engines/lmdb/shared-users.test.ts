// Users of a shared store come, go and die in every way, and what they leave behind is nothing.
// ANYKV_SHARED_ROUNDS sets the number of races, ANYKV_SEED their course.

import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openKv } from "anykv";
import { seededRandom } from "anykv/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedDirectory } from "../../../src/engines/lmdb/shared-place.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb");
});
afterAll(() => compiled.remove());

/** A process that uses stores as it is told. */
class User {
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(detached = false) {
    const script = join(compiled.directory, "test/engines/lmdb/shared-user.js");
    this.process = fork(script, { detached, stdio: ["ignore", "inherit", "ignore", "ipc"] });
    this.#ended = once(this.process, "exit");
  }

  async ask(action: string, argument?: string): Promise<unknown> {
    const answered = once(this.process, "message");
    this.process.send([action, argument]);
    const [{ result, error }] = await Promise.race([answered, this.#diedWhile(action)]);
    if (error !== undefined) throw new Error(`${action}: ${error}`);
    return result;
  }

  async #diedWhile(action: string): Promise<never> {
    await this.#ended;
    throw new Error(`the user died while it was told to ${action}`);
  }

  /** Tells it to do something that it does not survive. */
  async last(action: string): Promise<void> {
    this.process.send([action]);
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#ended;
  }
}

const freshName = (): string => `users-${randomUUID()}`;

/** Everything that there is of a store, drafts and the dead included. */
function filesOf(name: string): string[] {
  const directory = sharedDirectory(name);
  const own = readdirSync(dirname(directory)).filter((file) =>
    file.startsWith(basename(directory)),
  );
  return own.flatMap((file) => [
    file,
    ...readdirSync(join(dirname(directory), file), { recursive: true, encoding: "utf8" }),
  ]);
}

const usersOf = (name: string): number =>
  filesOf(name).filter((file) => /^users-.*\//.test(file)).length;

/** Guardians that wait in vain would be found here. */
function guardiansOf(name: string): string[] {
  const directory = sharedDirectory(name);
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
    } catch {
      return false;
    }
  });
}

/** Others act on their own; the time-out of the test bounds the wait. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2);
}

async function expectNothingLeft(name: string): Promise<void> {
  const isGone = (): boolean => {
    // A directory may go while it is read.
    try {
      return filesOf(name).length === 0;
    } catch {
      return false;
    }
  };
  await until(isGone);
  if (process.platform === "linux") await until(() => guardiansOf(name).length === 0);
}

async function withUsers(count: number, body: (...users: User[]) => Promise<void>): Promise<void> {
  const users = Array.from({ length: count }, () => new User());
  try {
    await body(...users);
  } finally {
    for (const user of users) user.process.kill("SIGKILL");
  }
}

describe("nothing is left", () => {
  test("after close, at once", async () => {
    const name = freshName();
    const kv = openKv({ name, backend: "shared" });
    await kv.set("key", 1);
    expect(filesOf(name)).toHaveLength(5);
    await kv.close();
    expect(filesOf(name)).toEqual([]);
    await expectNothingLeft(name);
  });

  for (const way of ["exit", "throw", "end"]) {
    test(`after the end of a process that never closed: ${way}`, () =>
      withUsers(1, async (user) => {
        const name = freshName();
        await user!.ask("open", name);
        await user!.ask("set", "key");
        await user!.last(way);
        // Done by the process itself, not by its guardian.
        expect(filesOf(name)).toEqual([]);
        await expectNothingLeft(name);
      }));
  }

  test("after kill -9", () =>
    withUsers(1, async (user) => {
      const name = freshName();
      await user!.ask("open", name);
      await user!.ask("write");
      await user!.kill();
      await expectNothingLeft(name);
    }));

  test("after kill -9 of a whole group of processes", async () => {
    const name = freshName();
    const user = new User(true);
    await user.ask("open", name);
    process.kill(-user.process.pid!, "SIGKILL");
    await expectNothingLeft(name);
  });

  test("after the end of a worker thread, terminated or not", () =>
    withUsers(1, async (user) => {
      const name = freshName();
      await user!.ask("startWorker", name);
      await user!.ask("inWorker", '["set", "key"]');
      expect(filesOf(name)).not.toEqual([]);
      await user!.ask("terminateWorker");
      await expectNothingLeft(name);
      await user!.ask("startWorker", name);
      expect(await user!.ask("inWorker", '["keys"]')).toEqual([]);
      await user!.last("exit");
      await expectNothingLeft(name);
    }));

  test("of somebody who died with its guardian, once somebody comes", () =>
    withUsers(2, async (dead, next) => {
      const name = freshName();
      await dead!.ask("open", name);
      await dead!.ask("set", "key");
      for (const guardian of guardiansOf(name)) process.kill(Number(guardian), "SIGKILL");
      await dead!.kill();
      expect(usersOf(name)).toBe(1);
      await next!.ask("open", name);
      expect(await next!.ask("keys")).toEqual([]);
      expect(usersOf(name)).toBe(1);
      await next!.ask("close");
      await expectNothingLeft(name);
    }));

  test("of drafts and of generations that were not taken away entirely", async () => {
    const name = freshName();
    const directory = sharedDirectory(name);
    const kv = openKv({ name, backend: "shared" });
    await kv.size();
    const [user = ""] = filesOf(name).filter((file) => /^users-.*\//.test(file));
    await kv.close();
    // A process that nobody finds alive, of this machine.
    const nobody = basename(user).replace(/^\d+/, "4194399");
    mkdirSync(join(`${directory}.${nobody}`, "users-0"), { recursive: true });
    mkdirSync(directory);
    for (const file of ["data-0", "data-0-lock", "data-1"])
      writeFileSync(join(directory, file), "");
    const again = openKv({ name, backend: "shared" });
    await again.set("key", 1);
    expect(filesOf(name)).toHaveLength(5);
    await again.close();
    expect(filesOf(name)).toEqual([]);
  });
});

describe("users of one name", () => {
  test("see what the others write, in processes and threads", () =>
    withUsers(2, async (first, second) => {
      const name = freshName();
      await Promise.all([first!.ask("open", name), second!.ask("startWorker", name)]);
      await Promise.all([first!.ask("set", "a"), second!.ask("inWorker", '["set", "b"]')]);
      await second!.ask("open", name);
      expect(await second!.ask("keys")).toEqual(["a", "b"]);
      expect(await first!.ask("keys")).toEqual(["a", "b"]);
      expect(usersOf(name)).toBe(3);
      await Promise.all([first, second].map((user) => user!.ask("increment", "1000")));
      const kv = openKv({ name, backend: "shared" });
      expect(await kv.get("counter")).toBe(2000);
      await kv.close();
      await Promise.all([first!.last("exit"), second!.last("exit")]);
      await expectNothingLeft(name);
    }));

  test("keep their data when one of them is killed in the middle of a write", () =>
    withUsers(2, async (first, second) => {
      const name = freshName();
      await Promise.all([first!.ask("open", name), second!.ask("open", name)]);
      await second!.ask("set", "key");
      await first!.ask("write");
      await first!.kill();
      await until(() => usersOf(name) === 1);
      expect(await second!.ask("keys")).toContain("key");
      await second!.ask("increment", "10");
      await second!.ask("close");
      await expectNothingLeft(name);
    }));

  test("keep their data when a worker thread of the same process is terminated", () =>
    withUsers(1, async (user) => {
      const name = freshName();
      await user!.ask("open", name);
      await user!.ask("set", "key");
      await user!.ask("startWorker", name);
      expect(await user!.ask("inWorker", '["keys"]')).toEqual(["key"]);
      await user!.ask("terminateWorker");
      await until(() => usersOf(name) === 1);
      await user!.ask("set", "other");
      expect(await user!.ask("keys")).toEqual(["key", "other"]);
      await user!.last("exit");
      await expectNothingLeft(name);
    }));

  test("begin with an empty store after the last one has gone", async () => {
    const name = freshName();
    const first = openKv({ name, backend: "shared" });
    await first.set("key", 1);
    const closed = first.close();
    const second = openKv({ name, backend: "shared" });
    expect(await second.listKeys()).toEqual([]);
    await closed;
    await second.close();
  });

  test("of another name do not meet, whatever the names look like", async () => {
    const plain = freshName();
    const names = [plain, `${plain}/..`, `${plain}/../..`, `../${plain}`, `${plain} `, `${plain}-`];
    const handles = names.map((name) => openKv({ name, backend: "shared" }));
    await Promise.all(handles.map((kv, index) => kv.set(`key${index}`, index)));
    for (const [index, kv] of handles.entries()) {
      expect(await kv.listKeys()).toEqual([`key${index}`]);
    }
    const directories = names.map((name) => sharedDirectory(name));
    expect(new Set(directories).size).toBe(names.length);
    expect(new Set(directories.map((directory) => dirname(directory))).size).toBe(1);
    await Promise.all(handles.map((kv) => kv.close()));
    expect(directories.flatMap((directory) => filesOf(basename(directory)))).toEqual([]);
  });

  test("the store without a name stays until the process ends", () =>
    withUsers(1, async (user) => {
      // The one name that all tests of this machine share: nothing is said of what it leaves.
      await user!.ask("open", "");
      await user!.ask("set", "key");
      await user!.ask("close");
      await user!.ask("open", "");
      expect(await user!.ask("keys")).toContain("key");
      await user!.last("exit");
    }));
});

describe("a place", () => {
  test("belongs to its owner alone", async () => {
    const name = freshName();
    const kv = openKv({ name, backend: "shared" });
    await kv.size();
    const directory = sharedDirectory(name);
    for (const file of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })]) {
      expect(statSync(join(directory, file)).mode & 0o077).toBe(0);
    }
    await kv.close();
  });

  const obstacles: Record<string, (directory: string) => void> = {
    "a file": (directory) => writeFileSync(directory, "text"),
    "a link to nowhere": (directory) => symlinkSync("/nowhere", directory),
    "a link to itself": (directory) => symlinkSync(directory, directory),
    "a directory of something else": (directory) => {
      mkdirSync(directory);
      writeFileSync(join(directory, "text"), "text");
    },
  };
  for (const [title, put] of Object.entries(obstacles)) {
    test(`where there is ${title} is refused, and left alone`, async () => {
      const name = freshName();
      const directory = sharedDirectory(name);
      put(directory);
      const kv = openKv({ name, backend: "shared" });
      await expect(kv.size()).rejects.toMatchObject({ name: "DiskStoreOpenError" });
      await kv.close();
      const left = filesOfRaw(directory);
      rmSync(directory, { recursive: true });
      expect(left).toEqual([basename(directory)]);
    });
  }

  test.runIf(process.geteuid?.() === 0)("of another user is refused", async () => {
    const { chownSync } = await import("node:fs");
    const name = freshName();
    const directory = sharedDirectory(name);
    mkdirSync(join(directory, "users-0"), { recursive: true });
    writeFileSync(join(directory, "users-0", "somebody"), "");
    chownSync(directory, 65_534, 65_534);
    chmodSync(directory, 0o777);
    const kv = openKv({ name, backend: "shared" });
    await expect(kv.size()).rejects.toThrow("belongs to somebody else");
    await kv.close();
    rmSync(directory, { recursive: true });
  });
});

function filesOfRaw(directory: string): string[] {
  return readdirSync(dirname(directory)).filter((file) => file.startsWith(basename(directory)));
}

describe("races", () => {
  const rounds = Number(process.env.ANYKV_SHARED_ROUNDS ?? 25);
  const seed = Number(process.env.ANYKV_SEED ?? Date.now() % 1_000_000);
  const perRound = 4;

  // Those of one round open the store while those of the round before leave it or die. Whoever is in
  // has to see every other one of its round: nobody has been left with data of his own.
  test(`${rounds} rounds of users who come while others go and die (ANYKV_SEED=${seed})`, async () => {
    const random = seededRandom(seed);
    const name = freshName();
    const ways = ["close", "close", "exit", "kill"] as const;
    const idle: User[] = [];
    const users: User[] = [];
    const leave = async (user: User): Promise<void> => {
      const way = ways[random.below(ways.length)]!;
      if (way === "kill") return user.kill();
      if (way === "exit") return user.last("exit");
      await user.ask("close");
      idle.push(user);
    };
    let leaving: Promise<unknown> = Promise.resolve();
    try {
      for (let round = 0; round < rounds; round++) {
        const present = Array.from({ length: perRound }, () => idle.pop() ?? new User());
        users.push(...present);
        const keys = present.map((_, index) => `${round}:${index}`);
        await Promise.all(
          present.map(async (user, index) => {
            await user.ask("open", name);
            await user.ask("set", keys[index]);
          }),
        );
        for (const user of present) {
          const seen = (await user.ask("keys")) as string[];
          expect(keys.filter((key) => !seen.includes(key))).toEqual([]);
        }
        await leaving;
        leaving = Promise.all(present.map((user) => leave(user)));
      }
      await leaving;
      await expectNothingLeft(name);
    } finally {
      for (const user of users) user.process.kill("SIGKILL");
    }
  }, 600_000);
});
