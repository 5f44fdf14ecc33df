// The worked example of docs/formats/wal.md, byte by byte as the code writes it.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LogWriter } from "../../../src/engines/wal/log-writer.js";
import { examine } from "../../../src/engines/wal/recovery.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { type Change, Model } from "./recorded-history.js";
import { envOn } from "./wal-files.js";

const changes: readonly Change[] = [
  { kind: "put", table: "values", key: "job:1", value: "é", deadline: Infinity },
  { kind: "put", table: "claims", key: "job:1", value: "7 me", deadline: 1_704_067_230_000 },
];

async function written(): Promise<Buffer> {
  const disk = new SimulatedDisk();
  disk.makeDirectory("/log");
  const store = Uint8Array.from({ length: 16 }, (_, index) => index);
  const position = { segment: undefined, next: 1, store };
  const log = await LogWriter.open(envOn(disk), "/log", walDefaults, position);
  log.append({
    report: (target) => {
      for (const change of changes) {
        if (change.kind !== "put") continue;
        target.put(change.table, change.key, change.value, change.deadline);
      }
    },
  });
  await log.close();
  return disk.shown(disk.entry("/log/00000000000000000001.log") as number);
}

/** The lines of the example: where the bytes lie, and which they are. */
function documented(): { offset: number; bytes: Buffer }[] {
  const page = new URL("../../../docs/formats/wal.md", import.meta.url);
  const section = readFileSync(page, "utf8").split("## Worked example")[1] ?? "";
  const block = section.split("```")[1] ?? "";
  return [...block.matchAll(/^ *(\d+) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/gm)].map(
    ([, offset, hex]) => ({
      offset: Number(offset),
      bytes: Buffer.from((hex ?? "").replaceAll(" ", ""), "hex"),
    }),
  );
}

test("the document shows the bytes that the code writes", async () => {
  const lines = documented();
  let offset = 0;
  for (const line of lines) {
    expect(line.offset).toBe(offset);
    offset += line.bytes.length;
  }
  const hex = Buffer.concat(lines.map(({ bytes }) => bytes)).toString("hex");
  expect(hex).toBe((await written()).toString("hex"));
});

test("the code reads what the document shows", async () => {
  const disk = new SimulatedDisk();
  for (const path of ["/log", "/states"]) disk.makeDirectory(path);
  const file = disk.create("/log/00000000000000000001.log");
  disk.write(file, 0, Buffer.concat(documented().map(({ bytes }) => bytes)));
  const read: Change[] = [];
  const { next } = await examine(
    envOn(disk),
    { log: "/log", states: "/states" },
    {
      put: (table, key, value, deadline) => read.push({ kind: "put", table, key, value, deadline }),
      delete: (table, key) => read.push({ kind: "delete", table, key }),
      clear: (table) => read.push({ kind: "clear", table }),
    },
  );
  expect(next).toBe(2);
  expect(read).toEqual(changes);
  const model = new Model();
  model.apply(read);
  expect(model.dump).toContain('"7 me" 1704067230000');
});
