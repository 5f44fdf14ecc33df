// Options of the wal backend: what is accepted, what it means, and what is refused with its name.

import { describe, expect, test } from "vitest";
import {
  differingWalOptions,
  type WalOptions,
  walSettings,
} from "../../../src/kv/options/wal-options.js";

describe("accepted", () => {
  test.each<[object, object]>([
    [{}, {}],
    [
      { syncWrites: null, flushInterval: undefined, segmentSize: null, snapshotEvery: undefined },
      {},
    ],
    [{ syncWrites: false }, { syncWrites: false }],
    [{ syncWrites: true }, { syncWrites: true }],
    [{ syncWrites: true, flushInterval: null }, { syncWrites: true }],
    [
      { syncWrites: false, flushInterval: 50 },
      { syncWrites: false, flushIntervalMs: 50 },
    ],
    [{ flushInterval: 1 }, { flushIntervalMs: 1 }],
    [{ flushInterval: "1ns" }, { flushIntervalMs: 1 }],
    [{ flushInterval: "1.5s" }, { flushIntervalMs: 1_500 }],
    [{ flushInterval: "24h" }, { flushIntervalMs: 86_400_000 }],
    [{ segmentSize: 4_096 }, { segmentBytesMax: 4_096 }],
    [{ segmentSize: "64KiB" }, { segmentBytesMax: 65_536 }],
    [{ segmentSize: "512MiB" }, { segmentBytesMax: 536_870_912 }],
    [{ snapshotEvery: "4KiB" }, { snapshotBytesMin: 4_096 }],
    [{ snapshotEvery: "10TiB" }, { snapshotBytesMin: 10 * 2 ** 40 }],
    [{ compressionThreshold: 0 }, { packedBytesMin: 0 }],
    [{ compressionThreshold: "1MiB" }, { packedBytesMin: 1_048_576 }],
  ])("%j", (given, settings) => expect(walSettings(given as never)).toEqual(settings));
});

describe("refused", () => {
  const notText = [Number.NaN, Infinity, -1, 1.5, 2 ** 60, "", "soon", "-1s", true, [], {}, 5n];
  const cases: [string, unknown[]][] = [
    ["syncWrites", [0, 1, "true", "yes", [], {}, Number.NaN]],
    ["flushInterval", [...notText, 0, "0", "0s", 86_400_001, "25h", "64MiB"]],
    ["segmentSize", [...notText, 0, 1, 36, 4_095, "3KiB", "0", 536_870_913, "1GiB", "1s"]],
    ["compressionThreshold", notText],
    ["snapshotEvery", [...notText, 0, 1, 4_095, "3KiB", "0", "1s"]],
  ];
  const values = cases.flatMap(([name, list]) => list.map((value) => ({ name, value })));

  test.each(values)("$name: $value", ({ name, value }) => {
    expect(() => walSettings({ [name]: value })).toThrow(
      expect.objectContaining({
        name: "InvalidOptionsError",
        message: expect.stringMatching(`^option "wal\\.${name}" must be .*, got `),
      }),
    );
  });

  test("an interval together with syncWrites, which leaves none", () => {
    expect(() => walSettings({ syncWrites: true, flushInterval: 50 })).toThrow(
      'option "wal.flushInterval" must be left out together with `syncWrites: true`',
    );
  });
});

describe("compared", () => {
  const differing = (a: WalOptions, b: WalOptions) =>
    differingWalOptions(walSettings({ ...a }), walSettings({ ...b }));

  test("a default that is spelled out is no difference", () => {
    expect(differing({}, { syncWrites: false, flushInterval: "1s", segmentSize: "64MiB" })).toEqual(
      [],
    );
    expect(differing({ snapshotEvery: "64MiB" }, { compressionThreshold: 65_536 })).toEqual([]);
  });

  test("every option that differs is named", () => {
    const others = {
      syncWrites: false,
      flushInterval: 5,
      segmentSize: 5_000,
      snapshotEvery: 5_000,
    };
    expect(differing({}, { ...others, compressionThreshold: 5 })).toEqual([
      "wal.flushInterval",
      "wal.segmentSize",
      "wal.snapshotEvery",
      "wal.compressionThreshold",
    ]);
    expect(differing({}, { syncWrites: true })).toEqual(["wal.syncWrites"]);
  });
});
