// Faults and aborts: at every call that a transfer makes of the file system, that call fails, or the
// caller gives up. An export leaves the old file or a complete new one and nothing beside it; an import
// leaves whole batches.

import { isKvError, type Kv } from "anykv";
import { describe, expect, test } from "vitest";
import { faults } from "../../src/testing/simulated-calls.js";
import { SimulatedTransfer } from "./transfer-setting.js";

const rows = 3_000;
const batchSize = 100;
const key = (index: number): string => `k${String(index).padStart(6, "0")}`;
const entries = Object.fromEntries(
  Array.from({ length: rows }, (_, index) => [key(index), { a: `${"x".repeat(200)}${index}` }]),
);
const jsonl = Object.entries(entries)
  .map(([name, value]) => `${JSON.stringify({ key: name, value })}\n`)
  .join("");
const csv = `key,a\n${Object.entries(entries)
  .map(([name, { a }]) => `${name},${a}\n`)
  .join("")}`;

interface Case {
  readonly name: string;
  /** The file as it is at first, and when all went well. */
  readonly before: string;
  readonly after: string;
  readonly isFilled: boolean;
  run(kv: Kv, options: { signal?: AbortSignal }): Promise<unknown>;
}

const fileName = "/data/file";
const cases: readonly Case[] = [
  {
    ...{ name: "exportJSONL", before: "old", after: jsonl, isFilled: true },
    run: (kv, options) => kv.exportJSONL({ fileName, ...options }),
  },
  {
    ...{ name: "exportCSV", before: "old", after: csv, isFilled: true },
    run: (kv, options) => kv.exportCSV({ fileName, columns: ["a"], ...options }),
  },
  {
    ...{ name: "importJSONL", before: jsonl, after: jsonl, isFilled: false },
    run: (kv, options) => kv.importJSONL({ fileName, batchSize, ...options }),
  },
  {
    ...{ name: "importCSV", before: csv, after: csv, isFilled: false },
    run: (kv, options) => kv.importCSV({ fileName, batchSize, keyColumn: "key", ...options }),
  },
  {
    ...{ name: "validateJSONL", before: jsonl, after: jsonl, isFilled: false },
    run: (kv, options) => kv.validateJSONL({ fileName, ...options }),
  },
  {
    ...{ name: "validateCSV", before: csv, after: csv, isFilled: false },
    run: (kv, options) => kv.validateCSV({ fileName, ...options }),
  },
];

async function prepare(
  { before, isFilled }: Case,
  onCall?: (index: number) => void,
): Promise<SimulatedTransfer> {
  const setting = new SimulatedTransfer(
    { file: before },
    { before: ({ index }) => onCall?.(index) },
  );
  if (isFilled) await setting.kv.setMany(entries);
  return setting;
}

async function errorOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (isKvError(error)) return error.name;
    throw error;
  }
}

/** Nothing half done: a whole file, whole batches, and nothing that was left open or lying. */
async function checkWhole(subject: Case, { kv, files }: SimulatedTransfer): Promise<void> {
  expect(files.openHandles).toBe(0);
  const size = await kv.size();
  if (subject.isFilled) expect(size).toBe(rows);
  else expect(size % batchSize).toBe(0);
  const keys = await kv.listKeys();
  expect(keys).toStrictEqual(Array.from({ length: size }, (_, index) => key(index)));
}

describe.each(cases)("$name", (subject) => {
  const { before, after, run } = subject;

  test("makes many calls, and succeeds without faults", async () => {
    const setting = await prepare(subject);
    await run(setting.kv, {});
    expect(setting.read("file")).toBe(after);
    expect(setting.names()).toEqual(["file"]);
    expect(setting.files.calls.length).toBeGreaterThan(4);
    await checkWhole(subject, setting);
  });

  test.each(faults)("with %s at any call", async (fault) => {
    const total = (await ran(subject)).files.calls.length;
    for (const lasting of [false, true]) {
      for (let call = 0; call < total; call++) {
        const setting = await prepare(subject);
        setting.files.failAt(call, fault, lasting);
        const error = await errorOf(run(setting.kv, {}));
        const content = setting.read("file");
        if (error === undefined) expect(content).toBe(after);
        else {
          expect(error).toMatch(subject.isFilled ? /^SnapshotExport/ : /^Snapshot(IO|Read)Error/);
          // Only when the last call fails, the sync of the name, the new file is there already.
          expect([before, call === total - 1 ? after : before]).toContain(content);
        }
        // What cannot be removed for good stays.
        if (!lasting) expect(setting.names()).toEqual(["file"]);
        await checkWhole(subject, setting);
      }
    }
  });

  test("aborted at any call", async () => {
    const total = (await ran(subject)).files.calls.length;
    let canceled = 0;
    for (let call = 0; call < total; call++) {
      const controller = new AbortController();
      const setting = await prepare(subject, (index) => {
        if (index === call) controller.abort(new Error("enough"));
      });
      const error = await errorOf(run(setting.kv, { signal: controller.signal }));
      if (error !== undefined) {
        canceled++;
        expect(error).toBe("OperationCanceledError");
        expect(setting.read("file")).toBe(before);
      } else expect(setting.read("file")).toBe(after);
      expect(setting.names()).toEqual(["file"]);
      await checkWhole(subject, setting);
    }
    expect(canceled).toBeGreaterThan(1);
  });
});

async function ran(subject: Case): Promise<SimulatedTransfer> {
  const setting = await prepare(subject);
  await subject.run(setting.kv, {});
  return setting;
}

test("an import that is aborted tells how much was committed", async () => {
  const setting = new SimulatedTransfer({ file: jsonl });
  const controller = new AbortController();
  const importing = setting.kv.importJSONL({
    fileName,
    batchSize,
    signal: controller.signal,
    onProgress: ({ records }) => records === 500 && controller.abort(new Error("enough")),
  });
  await expect(importing).rejects.toMatchObject({
    message: "operation was canceled: enough",
    hint: expect.stringMatching(/^500 records \(\d+ bytes\) were committed before$/),
  });
  expect(await setting.kv.size()).toBe(500);
});

test("what onProgress throws ends the transfer", async () => {
  const setting = new SimulatedTransfer({ file: jsonl });
  const onProgress = (): never => {
    throw new Error("no more");
  };
  const options = { fileName, batchSize, onProgress };
  await expect(setting.kv.importJSONL(options)).rejects.toThrow("onProgress threw: no more");
  expect(await setting.kv.size()).toBe(batchSize);
  await expect(setting.kv.exportJSONL(options)).rejects.toThrow("onProgress threw: no more");
  expect(setting.read("file")).toBe(jsonl);
  expect(setting.names()).toEqual(["file"]);
});

describe("a power cut", () => {
  // Names and contents become durable each on their own, so whatever the name may stand for has to be
  // a whole file on the disk.
  function durableContents({ disk }: SimulatedTransfer): string[] {
    const entries = [disk.entry(fileName), disk.durableNames.get(fileName)];
    return entries.map((entry) => {
      if (typeof entry !== "number") throw new Error("the file has no name");
      return disk.nodes.get(entry)?.durable.toString() ?? "";
    });
  }

  test("at any moment of an export leaves the old file or the new one, afterwards the new one", async () => {
    const subject = cases[0] as Case;
    const total = (await ran(subject)).files.calls.length;
    const setting = await prepare(subject, () => {
      for (const content of durableContents(setting)) {
        expect([subject.before, subject.after]).toContain(content);
      }
    });
    await subject.run(setting.kv, {});
    expect(setting.files.calls).toHaveLength(total);
    expect(durableContents(setting)).toEqual([subject.after, subject.after]);
  });

  test("keeps directories that an export has made", async () => {
    const setting = new SimulatedTransfer({});
    await setting.kv.set("k", { a: 1 });
    await setting.kv.exportJSONL({ fileName: "/data/new/deep/file" });
    const made = ["/data/new", "/data/new/deep", "/data/new/deep/file"];
    expect(made.map((name) => typeof setting.disk.durableNames.get(name))).toEqual([
      ...["string", "string", "number"],
    ]);
    expect(setting.disk.unsynced()).toEqual([]);
  });
});
