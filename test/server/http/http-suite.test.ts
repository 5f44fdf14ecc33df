// The conformance suite through the HTTP door: every call is a POST, every answer fits its schema.
//
// A usual run leaves out untracked keys and the tests for uniformity, and stores in files;
// `ANYKV_HTTP=all` runs everything.

import { type Runner, storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { httpFactory } from "./http-factory.js";

const noListener = "a listener of progress stays with the caller: HTTP carries none";
const noMoment = "a call is made when it arrives, not when it is sent";
const noGoodbye = "the door hears of a caller who gives up when the connection closes, not before";

/** Cases that mean something else behind a wire. Each has a test of its own in this folder. */
const gaps: Readonly<Record<string, string>> = {
  "an aborted signal ends the wait with OperationCanceledError": noGoodbye,
  "a waiter that gave up does not keep the next one from its element": noGoodbye,
  "a waiting pop resolves with null when its time is up, and takes nothing later":
    "the clock of the test would move before the call has arrived",
  "progress tells of records and bytes, up to the end": noListener,
  "an export among writers has every value that was there all the time": noListener,
  "an aborted backup leaves the file as it was": noListener,
  "progress of a backup ends with all rows, copied and read back": noListener,
  "what the listener of a backup throws ends it": noListener,
  "an aborted restore leaves data and claims as they were": noListener,
  "a backup holds what was there at its call, whatever is written meanwhile": noMoment,
  "a best-effort backup holds no key that came later": noMoment,
  "bad arguments on a closed handle are reported as bad arguments":
    "a client that is closed asks nobody",
};

const met = new Set<string>();
const isComplete = process.env.ANYKV_HTTP === "all";

const runner: Runner = {
  describe(name, body) {
    // Tracked keys change nothing on the way; what is uniform needs thousands of calls.
    const isSpared = !isComplete && (/trackKeys: false$/.test(name) || name === "uniformity");
    if (isSpared) describe.skip(`${name} (ANYKV_HTTP=all runs it)`, body);
    else describe(name, body);
  },
  test(name, body, timeoutMs) {
    const reason = gaps[name];
    if (reason === undefined) {
      test(name, body, timeoutMs);
      return;
    }
    met.add(name);
    test(`gap: ${name}: ${reason}`, () => expect(reason).not.toBe(""));
  },
  expect,
};

storeSuite(runner, httpFactory("memory"));

/** The case that counts timers does not know when a store in files arms its own. */
const timerCase = "an element that comes in time ends the wait, and its timer";

for (const backend of ["wal", "disk"] as const) {
  describe.skipIf(!isComplete)(`${backend} (ANYKV_HTTP=all runs it)`, () => {
    const files: Runner = {
      // Draws are those of a store in memory, and each of thousands would wait for the disk.
      describe: (name, body) => name === "uniformity" || runner.describe(name, body),
      test: (name, body, timeoutMs) => name === timerCase || runner.test(name, body, timeoutMs),
      expect,
    };
    storeSuite(files, httpFactory(backend));
  });
}

test("every gap is one of the suite", () => {
  expect([...met].sort()).toStrictEqual(Object.keys(gaps).sort());
});
