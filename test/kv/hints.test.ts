// What an error advises when the mistake is a common one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { expect, test } from "vitest";

class Users {
  readonly ann = 1;
}

test.each([
  [new Map([["a", 1]]), /got a Map: pass `Object\.fromEntries\(map\)`$/],
  [new Users(), /got an instance of Users$/],
  [new Date(0), /got an instance of Date$/],
  [[1], /got an array$/],
  [null, /got null$/],
])("setMany(%o) names what it was given", async (entries, message) => {
  await using kv = openKv({ backend: "memory", name: "hints" });
  await expect(kv.setMany(entries as never)).rejects.toMatchObject({
    name: "InvalidOptionsError",
    hint: expect.stringMatching(message),
    errors: [{ name: "InvalidEntries", message: expect.stringMatching(message) }],
  });
});

test("a wal store at the file of a disk store is told so", async () => {
  const directory = mkdtempSync(join(tmpdir(), "anykv-hints-"));
  try {
    const path = join(directory, "store");
    const disk = openKv({ name: "hints of disk", path });
    await disk.set("key", 1);
    await disk.close();
    await using wal = openKv({ backend: "wal", name: "hints of wal", path });
    await expect(wal.size()).rejects.toMatchObject({
      name: "DiskPathError",
      hint: expect.stringContaining("the file of a `disk` store is opened with that backend"),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
