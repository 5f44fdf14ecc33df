// Options of the valkey backend: what is accepted, what it means, and what is refused with its name.

import { describe, expect, test } from "vitest";
import { InvalidOptionsError } from "../../../src/base/errors.js";
import { normalizeOptions } from "../../../src/kv/options/options.js";
import {
  differingValkeyOptions,
  type ValkeyOptions,
  valkeySettings,
} from "../../../src/kv/options/valkey-options.js";

const plain = {
  nodes: [{ host: "127.0.0.1", port: 6379 }],
  username: undefined,
  password: undefined,
  database: 0,
  tls: undefined,
  isCluster: false,
  partitions: 1,
  prefix: "anykv",
  connectTimeoutMs: 5_000,
  commandTimeoutMs: 10_000,
  retryWrites: false,
  client: undefined,
};
const at = (host: string, port = 6379) => ({ nodes: [{ host, port }] });
const cluster = { isCluster: true, partitions: 16 };
const client = { sendCommand() {}, connect() {}, options: {}, isCluster: false };
const unfitClients = [
  { keyPrefix: "a:" },
  { stringNumbers: true },
  { redisOptions: { keyPrefix: "a:" } },
  { redisOptions: { stringNumbers: true } },
].map((options) => ({ ...client, options }));
const clusterClient = { ...client, isCluster: true };

describe("accepted", () => {
  test.each<[ValkeyOptions, object]>([
    [{}, {}],
    [{ url: undefined, host: null as never, tls: false }, {}],
    [{ url: "valkey://db.example" }, at("db.example")],
    [{ url: "redis://db.example:7000/3" }, { ...at("db.example", 7000), database: 3 }],
    [{ url: "valkeys://db.example" }, { ...at("db.example"), tls: {} }],
    [
      { url: "rediss://db.example", tls: { ca: "pem" } },
      { ...at("db.example"), tls: { ca: "pem" } },
    ],
    [{ url: "redis://[::1]:7000" }, at("::1", 7000)],
    [
      { url: "valkey://me:a%40b%2Fc@db.example" },
      { ...at("db.example"), username: "me", password: "a@b/c" },
    ],
    [{ url: "redis://:secret@db.example/" }, { ...at("db.example"), password: "secret" }],
    [{ url: "unix:///run/valkey.sock" }, { nodes: [{ path: "/run/valkey.sock" }] }],
    [
      { url: "unix:///run/my%20valkey.sock?database=2" },
      { nodes: [{ path: "/run/my valkey.sock" }], database: 2 },
    ],
    [
      { url: "valkey://db.example", password: "secret" },
      { ...at("db.example"), password: "secret" },
    ],
    [{ host: "::1", port: 1 }, at("::1", 1)],
    [
      { path: "/run/valkey.sock", database: 15 },
      { nodes: [{ path: "/run/valkey.sock" }], database: 15 },
    ],
    [{ tls: true }, { tls: {} }],
    [{ cluster: true }, cluster],
    [
      { cluster: true, url: "valkey://db.example" },
      { ...cluster, ...at("db.example") },
    ],
    [
      { cluster: ["a", "b:7000", "[::1]:7001", { host: "c" }, { host: "::2", port: 5 }] },
      {
        ...cluster,
        nodes: [
          { host: "a", port: 6379 },
          { host: "b", port: 7000 },
          { host: "::1", port: 7001 },
          { host: "c", port: 6379 },
          { host: "::2", port: 5 },
        ],
      },
    ],
    [
      { cluster: true, partitions: 3 },
      { ...cluster, partitions: 3 },
    ],
    [{ partitions: 1_024 }, { partitions: 1_024 }],
    [{ prefix: "shop:" }, { prefix: "shop:" }],
    [
      { connectTimeout: "1.5s", commandTimeout: 0 },
      { connectTimeoutMs: 1_500, commandTimeoutMs: 0 },
    ],
    [{ retryWrites: true }, { retryWrites: true }],
    [{ client }, { nodes: [], client }],
    [
      { client: clusterClient, cluster: true },
      { ...cluster, nodes: [], client: clusterClient },
    ],
  ])("%j", (given, changed) => {
    expect(valkeySettings(given as never)).toEqual({ ...plain, ...changed });
  });
});

describe("refused", () => {
  const values: Readonly<Record<string, readonly unknown[]>> = {
    url: [
      5,
      "",
      "db.example",
      "http://db.example",
      "valkey://",
      "valkey://h/x",
      "valkey://h?db=1",
      "valkey://h#x",
      "valkey://%zz@h",
      "unix://run/x",
      "unix:///",
      "unix:///x?y=1",
      "unix:///x?db=z",
    ],
    host: [5, "", {}, "a\0b", "a:5", "[::1]", "[::1]:5", "valkey://a", "me@a"],
    port: [0, -1, 65_536, 1.5, "6379", true],
    path: [5, "", "unix:///x", "unix:/x"],
    username: [5, ""],
    password: [123_456, "", {}],
    database: [-1, 1.5, "0", 2 ** 64],
    tls: ["yes", 1, []],
    cluster: [
      "a",
      [],
      [5],
      [""],
      ["a:b"],
      ["a:70000"],
      ["me@a"],
      [{ host: "a:5" }],
      [{ port: 5 }],
      [{ host: "a", port: 0 }],
    ],
    partitions: [0, 1.5, 1_025, "4"],
    prefix: ["", 5, "a{b}", "x".repeat(65), "\ud800"],
    connectTimeout: [0, "0", -1, "soon"],
    commandTimeout: [-1, 1.5, "soon"],
    retryWrites: [1, "true"],
    client: [5, "redis", {}, ...unfitClients],
  };
  const cases = Object.entries(values).flatMap(([name, list]) =>
    list.map((value) => ({ name, value })),
  );

  test.each(cases)("$name: $value", ({ name, value }) => {
    expect(() => valkeySettings({ [name]: value })).toThrow(
      expect.objectContaining({
        name: "InvalidOptionsError",
        message: expect.stringMatching(`^option "valkey\\.${name}.*" must `),
      }),
    );
  });

  test.each(unfitClients)("a client that changes what is sent or comes back: $options", (unfit) => {
    const named = JSON.stringify(unfit.options).includes("keyPrefix")
      ? "keyPrefix"
      : "stringNumbers";
    expect(() => valkeySettings({ client: unfit })).toThrow(named);
  });

  test("a password that YAML has made a number of", () => {
    expect(() => valkeySettings({ password: 12_345 })).toThrow(
      expect.objectContaining({
        message: 'option "valkey.password" must be a string, got a number',
        hint: expect.stringContaining("quotes"),
      }),
    );
  });

  test("what is not known, which may be a mistyped option", () => {
    expect(() => valkeySettings({ pasword: "x" })).toThrow('option "valkey.pasword" is not known');
    expect(() => valkeySettings({ tls: { rejectUnauthorised: true } })).toThrow(
      'option "valkey.tls.rejectUnauthorised" is not known; did you mean "valkey.tls.rejectUnauthorized"?',
    );
  });

  test.each<[ValkeyOptions, string]>([
    [{ url: "valkey://a", host: "b" }, "valkey.host"],
    [{ url: "valkey://a:5", port: 6 }, "valkey.port"],
    [{ url: "valkey://a/5", database: 5 }, "valkey.database"],
    [{ url: "valkey://:x@a", password: "x" }, "valkey.password"],
    [{ url: "valkey://a", path: "/x" }, "valkey.path"],
    [{ url: "valkeys://a", tls: false }, "valkey.tls"],
    [{ path: "/x", host: "a" }, "valkey.path"],
    [{ path: "/x", port: 5 }, "valkey.path"],
    [{ path: "/x", cluster: true }, "valkey.path"],
    [{ cluster: ["a"], host: "b" }, "valkey.host"],
    [{ cluster: ["a"], url: "valkey://b" }, "valkey.url"],
    [{ cluster: true, database: 1 }, "valkey.database"],
    [{ client, host: "a" }, "valkey.host"],
    [{ client, tls: true }, "valkey.tls"],
    [{ client, cluster: true }, "valkey.cluster"],
  ])("%j, which says two things", (given, named) => {
    expect(() => valkeySettings(given as never)).toThrow(`option "${named}`);
  });

  const url = "valkey://:hunter2@a";
  const node = "app:hunter2@a:7000";
  test.each<object>([
    { password: 123_456 },
    { url: "http://me:hunter2@a" },
    { url: "hunter2:x@a" },
    { url: `${url}#x` },
    { url, password: "hunter2" },
    { host: url },
    { host: ":hunter2@a" },
    { host: "hunter2@a" },
    { port: "7000:hunter2" },
    { path: "unix:///x?password=hunter2" },
    { path: url },
    { cluster: url },
    { cluster: [url] },
    { cluster: [node] },
    { cluster: ["hunter2@a"] },
    { cluster: [{ host: node }] },
    { cluster: [{ host: "a", port: "hunter2" }] },
    { cluster: [{ host: "a", password: "hunter2" }] },
    { tls: "hunter2" },
    { database: "hunter2" },
    { prefix: "{hunter2" },
    { connectTimeout: url },
    { retryWrites: url },
    { client: url },
    { client, cluster: url },
  ])("without repeating a password: %j", (given) => {
    let thrown: unknown;
    try {
      valkeySettings(given as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidOptionsError);
    expect(`${(thrown as Error).stack} ${JSON.stringify(thrown)}`).not.toMatch(/hunter2|123456/);
  });

  test.each<[object, string, string]>([
    [{ host: "127.0.0.1:7461" }, "valkey.host", "the port goes into `port`"],
    [{ host: "[::1]:7461" }, "valkey.host", "the port goes into `port`"],
    [{ host: "[::1]" }, "valkey.host", "no brackets"],
    [{ host: url }, "valkey.host", "an URL goes into `url`"],
    [{ cluster: url }, "valkey.cluster", "an URL goes into `url`"],
    [{ cluster: [{ host: "a", password: "x" }] }, "valkey.cluster[0].password", "host, port"],
    [{ url: "" }, "valkey.url", "without it the host is 127.0.0.1"],
    [{ password: "" }, "valkey.password", "or leave it out"],
  ])("%j, with a hint", (given, option, hint) => {
    expect(() => valkeySettings(given as never)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`option "${option}"`),
        hint: expect.stringContaining(hint),
      }),
    );
  });

  test.each<[object, string]>([
    [{ backend: "valkey", valkey: url }, '{ url: "..." }'],
    [{ backend: "disk", path: url }, 'backend: "valkey"'],
    [{ backend: "disk", path: "valkey:/:hunter2@a" }, 'backend: "valkey"'],
    [{ backend: url }, ""],
  ])("an URL in another place than its own: %j", (options, hint) => {
    let thrown: unknown;
    try {
      normalizeOptions(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect(`${(thrown as Error).stack} ${JSON.stringify(thrown)}`).not.toContain("hunter2");
    expect((thrown as { hint?: string }).hint ?? "").toContain(hint);
  });
});

describe("compared", () => {
  const differing = (a: ValkeyOptions, b: ValkeyOptions) =>
    differingValkeyOptions(valkeySettings({ ...a }), valkeySettings({ ...b }));

  test("the same said in another way is no difference", () => {
    expect(
      differing(
        { url: "valkeys://me:x@db:7000/3" },
        { host: "db", port: 7000, username: "me", password: "x", database: 3, tls: true },
      ),
    ).toEqual([]);
    expect(differing({ connectTimeout: "5s" }, { partitions: 1 })).toEqual([]);
    expect(differing({ tls: { ca: Buffer.from("a") } }, { tls: { ca: Buffer.from("a") } })).toEqual(
      [],
    );
  });

  test("every option that differs is named", () => {
    const changed: readonly [ValkeyOptions, string][] = [
      [{ host: "a" }, "valkey.host"],
      [{ port: 5 }, "valkey.host"],
      [{ path: "/x" }, "valkey.host"],
      [{ username: "a" }, "valkey.username"],
      [{ password: "a" }, "valkey.password"],
      [{ database: 1 }, "valkey.database"],
      [{ tls: true }, "valkey.tls"],
      [{ partitions: 2 }, "valkey.partitions"],
      [{ prefix: "a" }, "valkey.prefix"],
      [{ connectTimeout: 5 }, "valkey.connectTimeout"],
      [{ commandTimeout: 5 }, "valkey.commandTimeout"],
      [{ retryWrites: true }, "valkey.retryWrites"],
    ];
    for (const [options, name] of changed) expect(differing({}, options)).toEqual([name]);
    expect(differing({}, { cluster: true, partitions: 1 })).toEqual(["valkey.cluster"]);
    expect(differing({ client }, { client: { ...client } })).toEqual(["valkey.client"]);
  });
});
