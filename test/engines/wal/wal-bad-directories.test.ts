// Bad directories, on the real file system: whatever a path leads to, a typed error says so, and
// nothing that is not ours is changed.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKvError } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { placeAt } from "../../../src/engines/wal/file-header.js";
import { frameHeaderBytes, sealFrame, segmentHeader } from "../../../src/engines/wal/log-format.js";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { encodeBlock, stateHeader } from "../../../src/engines/wal/state-format.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import { type Env, nodeEnv } from "../../../src/env/env.js";
import { mendRows } from "../../../src/operations/mend.js";

let root = "";
let path = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "anykv-bad-"));
  path = join(root, "store");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const segment = "00000000000000000001.log";
const store = new Uint8Array(16);
const isRoot = process.getuid?.() === 0;

async function open(env: Env = nodeEnv): Promise<void> {
  const engine = await WalEngine.open(env, { ...walDefaults, path, trackKeys: false });
  await engine.close();
}

const verify = (env: Env = nodeEnv): Promise<unknown> => verifyWal(env, path);
const repair = (env: Env = nodeEnv): Promise<unknown> => repairWal(env, path, { mend: mendRows });

/** A directory as it is right after the store was opened for the first time. */
function makeStore(): void {
  for (const directory of ["wal", "last_state"])
    mkdirSync(join(path, directory), { recursive: true });
  writeFileSync(join(path, "LOCK"), "");
}

async function refusal(run: (env?: Env) => Promise<unknown>, env?: Env): Promise<string> {
  try {
    await run(env);
  } catch (error) {
    if (!isKvError(error)) throw error;
    expect(error.message).toContain(path);
    expect(error.hint).toBeTruthy();
    return error.name;
  }
  return "none";
}

/** The name of what is refused, by opening, verifying and repairing. */
async function refusals(env?: Env): Promise<string[]> {
  return [await refusal(open, env), await refusal(verify, env), await refusal(repair, env)];
}

const pathErrors = ["DiskPathError", "DiskPathError", "DiskPathError"];
const openErrors = ["DiskStoreOpenError", "DiskStoreOpenError", "DiskStoreOpenError"];

describe("the path", () => {
  test("is a file", async () => {
    writeFileSync(path, "mine");
    expect(await refusals()).toEqual(pathErrors);
    expect(statSync(path).size).toBe(4);
  });

  test("has a file among its parents", async () => {
    writeFileSync(path, "mine");
    path = join(path, "below");
    expect(await refusals()).toEqual(pathErrors);
  });

  test("is a loop of links", async () => {
    symlinkSync(path, path);
    expect(await refusals()).toEqual(pathErrors);
  });

  test("is a link to nowhere", async () => {
    symlinkSync(join(root, "nowhere"), path);
    expect(await refusals()).toEqual(pathErrors);
  });

  test("is longer than the system allows", async () => {
    path = join(root, "x".repeat(300));
    expect(await refusals()).toEqual(pathErrors);
  });

  test("does not exist: opening makes it, with its parents; nothing else does", async () => {
    path = join(root, "some", "where", "store");
    expect([await refusal(verify), await refusal(repair)]).toEqual(pathErrors.slice(1));
    expect(readdirSync(root)).toEqual([]);
    expect(await refusal(open)).toBe("none");
    expect(readdirSync(path).sort()).toEqual(["LOCK", "last_state", "wal"]);
  });

  test("is a directory of somebody else", async () => {
    mkdirSync(path);
    writeFileSync(join(path, "data.db"), "mine");
    mkdirSync(join(path, "wal"));
    expect([await refusal(verify), await refusal(repair)]).toEqual(pathErrors.slice(1));
    expect(readdirSync(path).sort()).toEqual(["data.db", "wal"]);
  });

  test.skipIf(isRoot)("may not be written", async () => {
    makeStore();
    chmodSync(path, 0o500);
    chmodSync(join(path, "LOCK"), 0o400);
    expect(await refusal(open)).toBe("DiskPathError");
    expect(await refusal(verify)).toBe("none");
    chmodSync(path, 0o700);
  });

  test.skipIf(isRoot)("may not be read", async () => {
    makeStore();
    chmodSync(join(path, "wal"), 0);
    expect(await refusals()).toEqual(openErrors);
    chmodSync(join(path, "wal"), 0o700);
  });

  test.each(["EACCES", "EROFS", "EIO"])("answers every call with %s", async (code) => {
    makeStore();
    const fail = (): never => {
      throw Object.assign(new Error(`${code}: not here`), { code });
    };
    const files = { ...nodeEnv.files, open: fail, list: fail, readAll: fail, makeDirectory: fail };
    for (const name of await refusals({ ...nodeEnv, files })) {
      expect(["DiskPathError", "DiskStoreOpenError"]).toContain(name);
    }
  });
});

describe("inside", () => {
  beforeEach(makeStore);

  test.each(["wal", "last_state"])("%s is a file", async (name) => {
    rmSync(join(path, name), { recursive: true });
    writeFileSync(join(path, name), "mine");
    expect(await refusal(open)).toBe("DiskPathError");
    for (const run of [verify, repair]) expect(await refusal(run)).toBe("DiskStoreOpenError");
  });

  test("LOCK is a directory", async () => {
    rmSync(join(path, "LOCK"));
    mkdirSync(join(path, "LOCK"));
    expect(await refusal(open)).toBe("DiskPathError");
    for (const run of [verify, repair]) expect(await refusal(run)).toBe("DiskStoreOpenError");
  });

  test("LOCK holds anything", async () => {
    for (const text of ["\0\0\0", "{", "null", "[]", '{"id":1}', '{"pid":"x"}', "3\n".repeat(9)]) {
      writeFileSync(join(path, "LOCK"), text);
      expect(await refusals(), text).toEqual(["none", "none", "none"]);
    }
  });

  test.each([`wal/${segment}`, "last_state/00000000000000000001.state"])(
    "%s is a directory",
    async (name) => {
      mkdirSync(join(path, name));
      expect(await refusals()).toEqual(openErrors);
    },
  );

  const pipes = ["wal/00000000000000000003.log", "last_state/00000000000000000003.state"];
  test.skipIf(process.platform === "win32").each(pipes)("%s is a pipe", async (name) => {
    execFileSync("mkfifo", [join(path, name)]);
    expect(await refusals()).toEqual(openErrors);
  });

  test("foreign files are left alone", async () => {
    const foreign = ["mine.txt", "wal/1.log", "wal/notes", "last_state/00000000000000000001.STATE"];
    for (const name of foreign) writeFileSync(join(path, name), "mine");
    expect(await refusals()).toEqual(["none", "none", "none"]);
    for (const name of foreign) expect(statSync(join(path, name)).size).toBe(4);
  });

  test("an empty segment was being created; an empty state is damage", async () => {
    writeFileSync(join(path, "wal", segment), "");
    expect(await refusals()).toEqual(["none", "none", "none"]);
    writeFileSync(join(path, "last_state", "00000000000000000007.state"), "");
    expect(await refusal(open)).toBe("DiskStoreOpenError");
    expect(await refusal(repair)).toBe("none");
    expect(await refusal(open)).toBe("none");
  });

  test("a segment larger than Node reads at once is refused, not read", async () => {
    writeFileSync(join(path, "wal", segment), segmentHeader.encode(1, store));
    truncateSync(join(path, "wal", segment), 3 * 2 ** 30);
    expect(await refusals()).toEqual(openErrors);
  });
});

describe("lengths beyond the file", () => {
  beforeEach(makeStore);

  /** An env that remembers the largest piece asked for. */
  function watched(): { env: Env; largest: () => number } {
    let largest = 0;
    const { files } = nodeEnv;
    const watch: typeof files.open = async (...args) => {
      const file = await files.open(...args);
      const read: typeof file.read = (buffer, offset, length, position) => {
        largest = Math.max(largest, length, buffer.length);
        return file.read(buffer, offset, length, position);
      };
      return { ...file, read };
    };
    return { env: { ...nodeEnv, files: { ...files, open: watch } }, largest: () => largest };
  }

  test.each([0xffff_ffff, 0x8000_0000, 0x7fff_ffff])("take no memory: %i", async (length) => {
    const frame = Buffer.alloc(frameHeaderBytes + 100);
    const place = placeAt(segmentHeader.origin(1, store), 36);
    sealFrame(frame, { packed: false, records: 1, first: 1, durable: 36, place });
    frame.writeUInt32LE(length, 8);
    writeFileSync(
      join(path, "wal", segment),
      Buffer.concat([segmentHeader.encode(1, store), frame]),
    );
    const statePlace = placeAt(stateHeader.origin(7, store), 36);
    const header = { rawLength: length, codec: 1, place: statePlace };
    const block = encodeBlock(Buffer.alloc(100), header);
    block.writeUInt32LE(length, 8);
    const state = Buffer.concat([stateHeader.encode(7, store), block]);
    writeFileSync(join(path, "last_state", "00000000000000000007.state"), state);
    const { env, largest } = watched();
    expect(await refusal(open, env)).toBe("DiskStoreOpenError");
    await verify(env);
    await repair(env);
    expect(largest()).toBeLessThan(4096);
    expect(await refusal(open)).toBe("none");
  });
});
