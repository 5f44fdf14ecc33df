// Copies from store to store in one process: what arrives, and what is refused.

import { afterEach, beforeEach, expect, test } from "vitest";
import { verifyLmdb } from "../../src/engines/lmdb/verify.js";
import { checkRows } from "../../src/operations/check.js";
import { contentCases, pairCases, resumeCases, writerCases } from "./copy-cases.js";
import { CopySetting, fill, nextToken } from "./copy-setting.js";

const backends = ["memory", "wal", "disk"];
for (const source of backends) {
  for (const target of backends) pairCases({ source, target });
}
for (const [source, target] of [
  ["memory", "memory"],
  ["wal", "disk"],
  ["disk", "wal"],
] as const) {
  contentCases({ source, target });
  resumeCases({ source, target });
}
writerCases({ source: "memory", target: "memory" });

let setting: CopySetting;

beforeEach(() => {
  setting = new CopySetting();
});

afterEach(() => setting.close());

test("a signal ends it, and it goes on", async () => {
  const from = await setting.end("memory", "from");
  const to = await setting.end("disk", "to");
  await fill(from.store, 5_000);
  const token = await nextToken(from.store);
  const controller = new AbortController();
  const { put } = to.store.content;
  to.store.content.put = async (pieces) => {
    await put(pieces);
    controller.abort(new Error("stopped"));
  };
  const stopped = setting.copy(from, to, "fill", { signal: controller.signal });
  await expect(stopped).rejects.toMatchObject({ name: "OperationCanceledError" });
  to.store.content.put = put;
  // What has arrived so far is a store in order, note and all.
  const report = await verifyLmdb(setting.env, setting.path("to"), { check: checkRows });
  expect(report.problems).toEqual([]);
  expect(await to.store.content.note()).toBe('{"from":"from"}');
  expect(report.unfinishedCopy).toBe('{"from":"from"}');
  // Whoever opens it now is granted nothing that the source has granted.
  expect(await to.store.content.lastToken()).toBeGreaterThanOrEqual(token);
  expect(await setting.copy(from, to)).toMatchObject({ resumed: true, kept: 1_000 });
});

test("an empty store is copied, too, with its tokens", async () => {
  const from = await setting.end("memory", "from");
  await nextToken(from.store);
  await from.store.clear(undefined);
  const to = await setting.end("memory", "to");
  expect(await setting.copy(from, to)).toMatchObject({ written: 0 });
  expect(await nextToken(to.store)).toBe(2);
});
