// Makes golden files: directories of one version of the format, in order and damaged.
//
// What is there is frozen and never made again: it shows that the files of old versions open. Run
// `ANYKV_MAKE_GOLDEN=1 npx vitest run test/engines/wal/wal-golden.test.ts` to add a case; look at
// its expected.txt before it is committed, and add its files to sums.txt.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { walDefaults } from "../../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../../src/engines/wal/wal-engine.js";
import { SimulatedDisk } from "../../../../src/testing/simulated-disk.js";
import { framesOf } from "../format-reading.js";
import { type RecordedChanges, replay } from "../recorded-history.js";
import { envOn, type FileSet, filesOn, storePath } from "../wal-files.js";

const ever = Infinity;
const until = Date.UTC(2100, 0, 1);

/** Before the state is written: rows that change afterwards, rows that go, rows that stay. */
const before: readonly RecordedChanges[] = [
  [{ kind: "put", table: "values", key: "text", value: "some text", deadline: ever }],
  [
    { kind: "put", table: "values", key: "bytes", value: bytesUpTo(256), deadline: ever },
    { kind: "put", table: "values", key: "empty", value: "", deadline: ever },
    { kind: "put", table: "values", key: "no bytes", value: new Uint8Array(0), deadline: ever },
  ],
  [{ kind: "put", table: "values", key: "schlüssel 🔑", value: "日本語 \u0000 €", deadline: ever }],
  [{ kind: "put", table: "values", key: "session", value: '{"user":7}', deadline: until }],
  [{ kind: "put", table: "values", key: "gone", value: "soon", deadline: ever }],
  [
    { kind: "put", table: "counters", key: "list", value: "1", deadline: ever },
    { kind: "put", table: "lists", key: "queue", value: "1 0 1", deadline: ever },
    { kind: "put", table: "items", key: "1:0", value: "first", deadline: ever },
  ],
  [
    { kind: "put", table: "counters", key: "token", value: "1", deadline: ever },
    { kind: "put", table: "claims", key: "text", value: "1 worker one", deadline: until },
  ],
  [{ kind: "put", table: "members", key: "4:seenitem", value: "", deadline: until + 1 }],
  [{ kind: "put", table: "values", key: "long", value: "long ".repeat(60), deadline: ever }],
];

/** After it, in the log. */
const after: readonly RecordedChanges[] = [
  [{ kind: "delete", table: "values", key: "gone" }],
  [{ kind: "put", table: "values", key: "text", value: "other text", deadline: until + 2 }],
  [
    { kind: "put", table: "lists", key: "queue", value: "1 -1 1", deadline: until + 3 },
    { kind: "put", table: "items", key: "1:-1", value: Uint8Array.of(0xff, 0), deadline: ever },
  ],
  [
    { kind: "put", table: "counters", key: "list", value: "2", deadline: ever },
    { kind: "put", table: "items", key: "2:0", value: "unreachable", deadline: ever },
    { kind: "put", table: "garbage", key: "2", value: "0 1", deadline: ever },
  ],
  [{ kind: "clear", table: "members" }],
  [{ kind: "put", table: "members", key: "4:seenother", value: "", deadline: ever }],
  [
    { kind: "put", table: "counters", key: "token", value: "2", deadline: ever },
    { kind: "put", table: "claims", key: "long", value: "2 ", deadline: until },
  ],
  [{ kind: "delete", table: "claims", key: "text" }],
];

function bytesUpTo(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, byte) => byte);
}

/** After these, with frames that are worth packing. */
const large: readonly RecordedChanges[] = [
  [{ kind: "put", table: "values", key: "large", value: "large ".repeat(50), deadline: ever }],
  [
    { kind: "put", table: "values", key: "larger", value: "larger ".repeat(60), deadline: until },
    { kind: "put", table: "values", key: "zeros", value: new Uint8Array(500), deadline: ever },
  ],
  [{ kind: "delete", table: "values", key: "large" }],
];

async function written(
  records: readonly RecordedChanges[],
  packedBytesMin: number,
): Promise<FileSet> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(storePath);
  const options = {
    ...walDefaults,
    ...{ path: storePath, trackKeys: false, syncWrites: true, packedBytesMin },
  };
  const engine = await WalEngine.open(envOn(disk), { ...options, segmentBytesMax: 300 });
  for (const changes of before) await engine.write(replay, changes);
  await engine.compact();
  for (const changes of records) await engine.write(replay, changes);
  await engine.close();
  return filesOn(disk);
}

function paths(files: FileSet, extension: string): string[] {
  return [...files.keys()].filter((path) => path.endsWith(extension)).sort();
}

function edited(files: FileSet, path: string, edit: (bytes: Buffer) => Buffer): FileSet {
  return new Map(files).set(path, edit(Buffer.from(files.get(path) ?? Buffer.alloc(0))));
}

function flipped(offset: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[offset] = (bytes[offset] as number) ^ 0x04;
    return bytes;
  };
}

function ofVersion(version: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt16LE(version, 6);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
    return bytes;
  };
}

async function cases(): Promise<Record<string, FileSet>> {
  const files = await written(after, walDefaults.packedBytesMin);
  const [state = ""] = paths(files, ".state");
  const [first = "", last = ""] = [paths(files, ".log")[0], paths(files, ".log").at(-1)];
  const frame = framesOf(files.get(first) as Buffer)[1];
  const lastFrame = framesOf(files.get(last) as Buffer).at(-1);
  const due = (lastFrame?.first ?? 0) + (lastFrame?.records ?? 0);
  const beingMade = `wal/${String(due).padStart(20, "0")}.log`;
  return {
    "v1-clean": files,
    "v1-packed": await written([...after, ...large], 60),
    "v1-torn-tail": edited(files, last, (bytes) => bytes.subarray(0, -7)),
    "v1-unfinished": new Map(files)
      .set(beingMade, (files.get(last) as Buffer).subarray(0, 20))
      .set(state.replace(/\d{20}\.state/, "00000000000000000017.state.tmp"), Buffer.from("AKVS")),
    "v1-flipped-log": edited(files, first, flipped((frame?.offset ?? 0) + 50)),
    "v1-flipped-state": edited(files, state, flipped(100)),
    "v1-flipped-header": edited(files, last, flipped(21)),
    "v0-segment": edited(files, first, ofVersion(0)),
    "v2-segment": edited(files, last, ofVersion(2)),
    "v2-state": edited(files, state, ofVersion(2)),
  };
}

/** Writes the cases that are not there yet, without what is expected of them. */
export async function makeGolden(directory: string): Promise<string[]> {
  const made: string[] = [];
  for (const [name, files] of Object.entries(await cases())) {
    if (existsSync(`${directory}/${name}`)) continue;
    for (const [path, bytes] of files) {
      mkdirSync(dirname(`${directory}/${name}/${path}`), { recursive: true });
      writeFileSync(`${directory}/${name}/${path}`, bytes);
    }
    made.push(name);
  }
  return made;
}
