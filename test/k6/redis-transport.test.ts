// URLs as the client of the extension takes them, and what its failures mean.

import { expect, test } from "vitest";
import { failed } from "../../src/k6/failures.js";
import { isRedisUrl, safeUrl } from "../../src/k6/redis-transport.js";

const safe = "max_retries=-1&read_timeout=500ms&pool_size=2";

test.each([
  ["redis://h:1", `redis://h:1?${safe}`],
  ["valkey://u:p@h/3", `redis://u:p@h/3?${safe}`],
  ["valkeys://h", `rediss://h?${safe}`],
  ["redis://h?pool_size=9", "redis://h?pool_size=9&max_retries=-1&read_timeout=500ms"],
  ["redis://h?read_timeout=1s&db=2", "redis://h?read_timeout=1s&db=2&max_retries=-1&pool_size=2"],
])("%s is asked for without retries", (url, expected) => {
  expect(isRedisUrl(url)).toBe(true);
  expect(safeUrl(url, 500)).toBe(expected);
});

test("a time-out of 0 is none", () => {
  expect(safeUrl("redis://h", 0)).toContain("read_timeout=-1&");
});

test("retries cannot be turned on", () => {
  expect(() => safeUrl("redis://h?max_retries=3", 1)).toThrow(/must not set max_retries/);
});

test.each(["redis://", "redis://:6379", "redis://user:p@", "redis:///3", "rediss://u@:1/2"])(
  "%s names no host",
  (url) => expect(() => safeUrl(url, 1)).toThrow('option "url" must name a host'),
);

test.each(["http://h", "redis:/h", "redis://h#x", "h:6379", "unix:///tmp/socket", ""])(
  "%s is no URL of Redis",
  (url) => {
    expect(isRedisUrl(url)).toBe(false);
  },
);

const unsent = [
  "dial tcp 127.0.0.1:1: connect: connection refused",
  "dial tcp: lookup nowhere: no such host",
  "redis: connection pool timeout",
  "redis: connection pool: failed to dial after 5 attempts: dial unix /x: no such file",
];
test.each(unsent)("nothing has been sent: %s", (text) => {
  const error = failed({ at: "valkey at h", operation: "set", text, isRead: false });
  expect(error.name).toBe("ServerConnectionError");
});

const uncertain = [
  "EOF",
  "read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout",
  "write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe",
];
test.each(uncertain)("it may have been carried out: %s", (text) => {
  const common = { at: "valkey at h", operation: "set", text };
  expect(failed({ ...common, isRead: false }).name).toBe("OutcomeUnknownError");
  expect(failed({ ...common, isRead: true }).name).toBe("ServerConnectionError");
});

test.each(["context canceled", "context deadline exceeded"])("the test ends: %s", (text) => {
  const common = { at: "valkey at h", operation: "set", text };
  const [write, read] = [true, false].map((isRead) => failed({ ...common, isRead: !isRead }));
  expect([write?.name, read?.name]).toEqual(["OperationCanceledError", "OperationCanceledError"]);
  expect([write?.hint, read?.hint]).toEqual([
    "it may have been carried out all the same",
    undefined,
  ]);
});
