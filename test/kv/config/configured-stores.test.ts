// Stores from YAML: both forms, and every mistake with its place and its key.

import { type ConfiguredStore, InvalidOptionsError, isKvError, parseConfig } from "anykv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

async function refusal(text: string): Promise<InvalidOptionsError> {
  try {
    await parseConfig(text, "kv.yml");
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("the form of the Simple KV plugin", () => {
  test("names one store of byte values on the wal backend", async () => {
    const text = 'simple_kv:\n  enabled: true\n  path: "./data/kv"\n  sync_writes: true\n';
    expect(await parseConfig(text)).toEqual([
      {
        name: "simple_kv",
        options: {
          name: "simple_kv",
          backend: "wal",
          serialization: "bytes",
          path: "./data/kv",
          wal: { syncWrites: true },
        },
      },
    ]);
  });

  test("has the plugin's defaults", async () => {
    expect((await parseConfig("simple_kv: {}"))[0]?.options).toMatchObject({
      path: "./data/simple_kv",
      wal: { syncWrites: false },
    });
  });

  test.each(["High-Performance", "High-Durability", "Development/Testing"])(
    "reads the plugin's example: %s",
    async (setup) => {
      const path = { "High-Performance": "/fast-ssd/kv", "High-Durability": "./data/kv" }[setup];
      const syncWrites = setup === "High-Durability";
      const text = `simple_kv:
  enabled: true
  path: "${path ?? "/tmp/kv"}"
  sync_writes: ${syncWrites}  # a comment
`;
      expect((await parseConfig(text))[0]?.options).toMatchObject({
        path: path ?? "/tmp/kv",
        wal: { syncWrites },
      });
    },
  );

  test("registers nothing when it is not enabled, and is checked nevertheless", async () => {
    expect(await parseConfig("simple_kv: { enabled: false }")).toEqual([]);
    expect((await refusal("simple_kv: { enabled: false, sync_writes: 1 }")).key).toBe(
      "simple_kv.sync_writes",
    );
  });
});

describe("the general form", () => {
  const named = (stores: ConfiguredStore[]) =>
    stores.map(({ name, options }) => [name, options.backend]);

  test("names several stores in their order, on any backend", async () => {
    const text = `
anykv:
  stores:
    sessions: { backend: wal, path: ./s, wal: { flushInterval: 50ms, segmentSize: 1MiB } }
    cache: { backend: memory, serialization: string, trackKeys: true, memory: { shardCount: 4 } }
    big: { backend: disk, path: ./d, disk: { noSync: true, timeout: 2s } }
    far: { backend: valkey, metrics: { operations: true } }
other_program: { any: thing, any: thing, 1: [] }
7: the other program's too
simple_kv: {}
`;
    const stores = await parseConfig(text);
    expect(named(stores)).toEqual([
      ["sessions", "wal"],
      ["cache", "memory"],
      ["big", "disk"],
      ["far", "valkey"],
      ["simple_kv", "wal"],
    ]);
    expect(stores[0]?.options).toEqual({
      name: "sessions",
      backend: "wal",
      path: "./s",
      wal: { flushInterval: "50ms", segmentSize: "1MiB" },
    });
  });

  test("a server may be told with all that its connection needs", async () => {
    const text = `
anykv:
  stores:
    near:
      backend: valkey
      valkey: &server
        host: db.example
        database: 3
        tls: { ca: [one, two], servername: db, rejectUnauthorized: false }
    far: { backend: valkey, valkey: { cluster: ["a:1", { host: b, port: 2 }], retryWrites: true } }
    again: { backend: valkey, valkey: *server }
`;
    const [near, far, again] = await parseConfig(text);
    expect(near?.options.valkey).toEqual({
      host: "db.example",
      database: 3,
      tls: { ca: ["one", "two"], servername: "db", rejectUnauthorized: false },
    });
    expect(far?.options.valkey).toEqual({
      cluster: ["a:1", { host: "b", port: 2 }],
      retryWrites: true,
    });
    expect(again?.options.valkey).toEqual(near?.options.valkey);
  });

  test.each([
    ["empty", ""],
    ["blanks and a comment", "\n  # nothing yet\n"],
    ["an end marker", "# nothing yet\n...\n"],
    ["null", "~\n"],
    ["no stores", "anykv: {}"],
    ["empty stores", "anykv: { stores: {} }"],
    ["keys of other programs", "other: 1"],
  ])("a document that names none: %s", async (_, text) =>
    expect(await parseConfig(text)).toEqual([]),
  );

  test("a byte order mark and Windows line ends do not matter", async () => {
    const text = "\ufeffanykv:\r\n  stores:\r\n    a: { backend: memory }\r\n";
    expect(named(await parseConfig(text))).toEqual([["a", "memory"]]);
    expect((await refusal("\ufeffsimple_kv:\r\n  sync: 1\r\n")).message).toMatch(/^kv\.yml:2:3: /);
    expect((await refusal("\ufeffsimple_kv: 1")).message).toMatch(/^kv\.yml:1:1: /);
  });

  test("what is said once may be referred to", async () => {
    const text = `
defaults:
  - &durable { syncWrites: true }
  - &session { backend: wal, path: ./first, wal: *durable }
anykv:
  stores:
    first: *session
    second: { backend: wal, path: ./second, wal: *durable }
`;
    const [first, second] = await parseConfig(text);
    expect(first?.options.wal).toEqual({ syncWrites: true });
    expect(second?.options.wal).toEqual({ syncWrites: true });
  });

  test("a list is read up to a bound", async () => {
    const nodes = (count: number) =>
      store(`backend: valkey\nvalkey: { cluster: [${"a,".repeat(count)}] }`);
    expect(await parseConfig(nodes(1_000))).toHaveLength(1);
    expect((await refusal(nodes(1_001))).message).toContain(
      "must have at most 1000 items, got 1001",
    );
  });

  test("a later anchor of the same name takes over", async () => {
    const text = `
x: [&b memory, &b wal]
anykv: { stores: { a: { backend: *b, path: ./a } } }`;
    expect(named(await parseConfig(text))).toEqual([["a", "wal"]]);
  });
});

const store = (options: string) =>
  `anykv:\n  stores:\n    a:\n${options.replace(/^/gm, "      ")}\n`;

describe("mistakes are reported with file, line, column and key", () => {
  const cases: [string, string, string?][] = [
    // Keys.
    ["simple_kv:\n  sync: true\n", "2:3: simple_kv.sync is not known; known are enabled, path,"],
    ["anykv:\n  shops: {}\n", "2:3: anykv.shops is not known; known are stores"],
    [store("bakend: wal"), "4:7: anykv.stores.a.bakend is not known; known are backend, path,"],
    [store("name: b"), "4:7: anykv.stores.a.name is not known"],
    [store("env: {}"), "4:7: anykv.stores.a.env is not known"],
    [store("wal:\n  flush: 1"), "5:9: anykv.stores.a.wal.flush is not known; known are syncWrites"],
    [store("metrics:\n  registry: 1"), "5:9: anykv.stores.a.metrics.registry is not known"],
    ["simple_kv: { 1: 2 }", "1:14: simple_kv has a key that is no text", ""],
    ["simple_kv: { ? [a] : 2 }", "1:16: simple_kv has a key that is no text", ""],
    ["simple_kv:\n  __proto__: 1", "2:3: simple_kv.__proto__ is not known"],
    // Given twice.
    [store("path: a\npath: b"), "5:7: anykv.stores.a.path is given twice, first in line 4"],
    ["simple_kv: {}\nsimple_kv: {}", "2:1: simple_kv is given twice, first in line 1"],
    [
      "anykv: { stores: { a: { backend: memory },\n a: {} } }",
      "2:2: anykv.stores.a is given twice, first in line 1",
    ],
    // Maps.
    ["simple_kv: on\n", "1:1: simple_kv must be a map"],
    ["- a\n", "1:1: the document must be a map", ""],
    ["just text", "1:1: the document must be a map", ""],
    ["anykv: [1]", "1:1: anykv must be a map"],
    [store("- a"), "3:5: anykv.stores.a must be a map"],
    [store("backend: wal\nwal: true"), "5:7: anykv.stores.a.wal must be a map"],
    // No value.
    ["simple_kv:\n", "1:1: simple_kv has no value; leave the key out for its default"],
    ["simple_kv:\n  path:\n", "2:3: simple_kv.path has no value"],
    ["simple_kv:\n  path: ~\n", "2:3: simple_kv.path has no value"],
    ["simple_kv:\n  enabled: null\n", "2:3: simple_kv.enabled has no value"],
    ["anykv:\n  stores:\n", "2:3: anykv.stores has no value"],
    [store("backend:"), "4:7: anykv.stores.a.backend has no value"],
    // Types.
    [
      "simple_kv:\n  sync_writes: maybe\n",
      '2:3: simple_kv.sync_writes must be a boolean, got "maybe"',
    ],
    ["simple_kv:\n  sync_writes: yes\n", '2:3: simple_kv.sync_writes must be a boolean, got "yes"'],
    ["simple_kv:\n  sync_writes: {}\n", "2:3: simple_kv.sync_writes must be a boolean, got an obj"],
    ["simple_kv:\n  enabled: 1\n", "2:3: simple_kv.enabled must be a boolean, got 1"],
    ['simple_kv:\n  enabled: "true"\n', '2:3: simple_kv.enabled must be a boolean, got "true"'],
    [store("backend: tape"), "4:7: anykv.stores.a.backend must be one of memory, wal, disk, share"],
    [store("backend: [wal]"), "4:7: anykv.stores.a.backend must be one of"],
    [
      store("backend: memory\nserialization: xml"),
      '5:7: anykv.stores.a.serialization must be one of json, string, bytes, got "xml"',
    ],
    [
      store("backend: memory\ntrackKeys: 1"),
      "5:7: anykv.stores.a.trackKeys must be a boolean, got 1",
    ],
    [
      store("backend: memory\nmemory: { shardCount: many }"),
      '5:17: anykv.stores.a.memory.shardCount must be an integer, got "many"',
    ],
    [
      store("backend: memory\nmetrics: { operations: 1 }"),
      "5:18: anykv.stores.a.metrics.operations must be a boolean, got 1",
    ],
    [store("disk: { noSync: no }"), '4:15: anykv.stores.a.disk.noSync must be a boolean, got "no"'],
    // Options of the log.
    [
      store("backend: wal\nwal:\n  flushInterval: soon"),
      "6:9: anykv.stores.a.wal.flushInterval must be whole milliseconds",
    ],
    [
      store("backend: wal\nwal:\n  flushInterval: 0"),
      "6:9: anykv.stores.a.wal.flushInterval must be from 1 to 86400000 ms, got 0",
    ],
    [
      store("backend: wal\nwal: { syncWrites: 1 }"),
      "5:14: anykv.stores.a.wal.syncWrites must be a boolean, got 1",
    ],
    [
      store("backend: wal\nwal:\n  syncWrites: true\n  flushInterval: 50ms"),
      "7:9: anykv.stores.a.wal.flushInterval must be left out together with `syncWrites: true`",
    ],
    [
      store("backend: wal\nwal: { segmentSize: 1KiB }"),
      '5:14: anykv.stores.a.wal.segmentSize must be from 4096 to 536870912 bytes, got "1KiB"',
    ],
    [
      store("backend: wal\nwal: { snapshotEvery: .nan }"),
      "5:14: anykv.stores.a.wal.snapshotEvery must be whole bytes",
    ],
    // Options of a server.
    [
      store("backend: valkey\nvalkey: { hots: a }"),
      "5:17: anykv.stores.a.valkey.hots is not known; known are url, host, port,",
    ],
    [
      store("backend: valkey\nvalkey: 'valkey://:secret@a'"),
      "5:7: anykv.stores.a.valkey must be a map",
    ],
    [
      store("backend: valkey\nvalkey: { client: 1 }"),
      "5:17: anykv.stores.a.valkey.client is not known",
    ],
    [
      store("backend: valkey\nvalkey: { password: 12345 }"),
      "5:17: anykv.stores.a.valkey.password must be a string, got a number",
    ],
    [
      store("backend: valkey\nvalkey: { tls: { cA: a } }"),
      "5:24: anykv.stores.a.valkey.tls.cA is not known; known are ca, cert,",
    ],
    [
      store("backend: valkey\nvalkey: { tls: { ca: [a, 1] } }"),
      "5:32: anykv.stores.a.valkey.tls.ca[1] must be a string",
    ],
    [
      store("backend: valkey\nvalkey: { tls: { rejectUnauthorized: no } }"),
      "5:24: anykv.stores.a.valkey.tls.rejectUnauthorized must be a boolean",
    ],
    [
      store("backend: valkey\nvalkey: { tls: [] }"),
      "5:17: anykv.stores.a.valkey.tls must be a boolean or an object of TLS options, got an array",
    ],
    [
      store("backend: valkey\nvalkey: { cluster: [] }"),
      "5:17: anykv.stores.a.valkey.cluster must be a boolean or a list of nodes, got an array",
    ],
    [
      store("backend: valkey\nvalkey: { cluster: [a, 'b:c'] }"),
      '5:17: anykv.stores.a.valkey.cluster[1] must be "host:port" or an object { host, port }, got',
    ],
    [
      store("backend: valkey\nvalkey:\n  cluster:\n    - { host: a, prot: 1 }"),
      "7:24: anykv.stores.a.valkey.cluster[0].prot is not known; known are host, port",
    ],
    [
      store("backend: valkey\nvalkey: { cluster: [{ host: a, port: b }] }"),
      "5:17: anykv.stores.a.valkey.cluster[0].port must be an integer from 1 to 65535",
    ],
    [
      store("backend: valkey\nvalkey: { url: 'valkey://a', cluster: [b] }"),
      "5:17: anykv.stores.a.valkey.url must be left out together with",
    ],
    // Paths.
    ["simple_kv:\n  path: ''\n", '2:3: simple_kv.path must be a path, got ""'],
    ["simple_kv:\n  path: '  '\n", '2:3: simple_kv.path must be a path, got "  "'],
    ["simple_kv:\n  path: 5\n", "2:3: simple_kv.path must be a path, got 5"],
    ['simple_kv:\n  path: "a\\0b"\n', '2:3: simple_kv.path must be a path, got "a\\u0000b"'],
    [store("backend: wal\npath: ''"), '5:7: anykv.stores.a.path must be a path, got ""'],
    ['simple_kv:\n  path: "\\uD800"\n', "2:3: simple_kv.path must be well-formed text"],
    // What the backend has no use for.
    [
      store("backend: memory\npath: ./a"),
      '5:7: anykv.stores.a.path has no meaning for the backend "memory"',
    ],
    [
      store("backend: memory\nwal: { syncWrites: true }"),
      '5:7: anykv.stores.a.wal has no meaning for the backend "memory"',
    ],
    [
      store("backend: wal\ndisk: {}"),
      '5:7: anykv.stores.a.disk has no meaning for the backend "wal"',
    ],
    // Two of one.
    [
      "anykv:\n  stores:\n    simple_kv: { backend: memory }\nsimple_kv: {}",
      "4:1: simple_kv means the same name as anykv.stores.simple_kv at kv.yml:3:5",
      "simple_kv",
    ],
    [
      "anykv:\n  stores:\n    a: { backend: wal, path: ./x }\n    b: { backend: wal, path: y/../x/ }",
      "4:24: anykv.stores.b.path means the same path as anykv.stores.a.path at kv.yml:3:24",
    ],
    [
      "anykv:\n  stores:\n    a: { path: .anykv-b }\n    b: {}",
      "4:5: anykv.stores.b means the same path as anykv.stores.a.path at kv.yml:3:10",
    ],
    // Names.
    ['anykv: { stores: { "": {} } }', '1:20: anykv.stores. must be a non-empty string, got ""'],
    // References and tags.
    [store("wal: *w"), "4:7: anykv.stores.a.wal refers to *w, and nothing before it is marked so"],
    ["anykv: &x { stores: { a: *x } }", "1:13: anykv.stores.a.stores is not known"],
    ["simple_kv:\n  path: !secret p\n", "2:3: simple_kv.path has the unknown tag !secret"],
    // The document.
    ["anykv: [1\n", "2:1: ", ""],
    ["simple_kv:\n\tpath: a\n", "2:1: Tabs are not allowed as indentation", ""],
    ["a: 1\n---\nb: 2\n", "2:1: a second document begins; a configuration is a single one", ""],
    ["a: 1\n---\n", "2:1: a second document begins", ""],
  ];

  test.each(cases)("%j: %s", async (text, message, key) => {
    const error = await refusal(text);
    expect(error.message.startsWith(`kv.yml:${message}`), error.message).toBe(true);
    // The key is what the message names first, unless the document as a whole is wrong.
    if (key === "") expect("key" in error).toBe(false);
    else expect(error.key).toBe(key ?? /^\S+ (\S*)/.exec(error.message)?.[1]);
  });

  test("a name that is too long is refused", async () => {
    const name = "x".repeat(1_025);
    const { message, key } = await refusal(`anykv: { stores: { ? ${name} : {} } }`);
    expect(message).toBe(
      `kv.yml:1:22: anykv.stores.${name} must be at most 1024 bytes of UTF-8, got 1025`,
    );
    expect(key).toBe(`anykv.stores.${name}`);
  });

  // The parser recurses, and where its stack ends the process may end with it.
  test.each<[string, string, number]>([
    ["one level too many", `a: ${"[".repeat(64)}${"]".repeat(64)}`, 67],
    ["brackets", "[".repeat(200_000), 65],
    ["braces", "{".repeat(200_000), 65],
    ["lists", "- ".repeat(100_000), 129],
    ["keys", "? ".repeat(100_000), 129],
    ["values", `a: ${"b: ".repeat(80_000)}`, 193],
  ])("deep nesting is refused: %s", async (_, text, column) => {
    expect((await refusal(text)).message).toBe(`kv.yml:1:${column}: nested deeper than 64 levels`);
  });

  test("as many levels as are allowed are read", async () => {
    expect(await parseConfig(`a: ${"[".repeat(63)}${"]".repeat(63)}`)).toEqual([]);
  });

  test("a document of more than 256 KiB is refused, one of 256 KiB is read", async () => {
    const filled = (bytes: number) => `# ${"é".repeat((bytes - 2) / 2)}`;
    expect(await parseConfig(filled(262_144))).toEqual([]);
    expect((await refusal(filled(262_146))).message).toBe(
      "kv.yml: a configuration must be at most 262144 bytes, got 262146",
    );
  });

  test("a bomb of aliases does not unfold", async () => {
    const levels = Array.from({ length: 40 }, (_, level) => {
      const aliases = Array.from({ length: 9 }, () => `*l${level - 1}`);
      return `l${level}: &l${level} [${level === 0 ? "x" : aliases.join(", ")}]`;
    });
    const bomb = levels.join("\n");
    expect(await parseConfig(bomb)).toEqual([]);
    expect((await refusal(`${bomb}\n${store("backend: *l39")}`)).message).toMatch(
      /^kv\.yml:44:7: anykv\.stores\.a\.backend must be one of .*, got an array$/,
    );
  });

  test("the cause and the advice of the option are kept", async () => {
    const error = await refusal(store("backend: wal\nwal: { syncWrites: true, flushInterval: 5 }"));
    expect(error.hint).toBe(
      "with `syncWrites: true` every write waits for the disk: no interval is left",
    );
    expect(error.cause).toMatchObject({ name: "InvalidOptionsError" });
    expect((await refusal(store("backend: tape"))).cause).toMatchObject({
      name: "InvalidBackendError",
    });
  });

  test("what is no text is refused", async () => {
    for (const text of [undefined, null, 5, new Uint8Array(3)]) {
      await expect(parseConfig(text as unknown as string)).rejects.toThrow(InvalidOptionsError);
    }
  });
});

test("whatever happens to a document, it is read or refused with its place", async () => {
  const whole = `%YAML 1.2
---
x: &w { syncWrites: true }
anykv:
  stores:
    a: { backend: wal, path: ./a, wal: *w }
    b:
      backend: memory
      metrics: { operations: true }
simple_kv: { enabled: true, path: "./kv", sync_writes: false }
`;
  const piece = fc.oneof(
    fc.constantFrom(..."\t\n {}[]:?-&*!|>'\"%#,~\0\ufeff", "---\n", "...\n", "<<: *w\n", "é"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const edit = fc.record({
    at: fc.nat(whole.length),
    cut: fc.nat(9),
    piece,
  });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      let text = whole;
      for (const { at, cut, piece } of edits)
        text = text.slice(0, at) + piece + text.slice(at + cut);
      try {
        await parseConfig(text, "kv.yml");
      } catch (error) {
        if (!isKvError(error)) throw error;
        expect(error.name).toBe("InvalidOptionsError");
        expect(error.message).toMatch(/^kv\.yml:[1-9]\d*:[1-9]\d*: ./);
        refused++;
      }
    }),
    { numRuns: 1_000 },
  );
  expect(refused).toBeGreaterThan(100);
});
