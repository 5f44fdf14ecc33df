// The command copy: what the arguments mean, what is told, and with which exit code.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { runCli } from "../../src/cli/program.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { nodeEnv } from "../../src/env/env.js";
import { openStore } from "../../src/kv/backends.js";
import { normalizeOptions } from "../../src/kv/options/options.js";
import type { Store } from "../../src/store/store.js";
import { copyStore } from "../../src/transfer/copy.js";
import { describeWith, freePort, lackOfAny, type Server, startServer } from "../remote/servers.js";

let directory = "";
let stores = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-copy-cli-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly progress: readonly (string | undefined)[];
}

async function run(args: readonly string[], signal?: AbortSignal): Promise<Run> {
  const said = { out: "", error: "", progress: [] as (string | undefined)[] };
  const terminal: Terminal = {
    env: nodeEnv,
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
    progress: (line) => said.progress.push(line),
    confirm: () => undefined,
    flushed: () => Promise.resolve(true),
    input: () => Promise.resolve(new Uint8Array()),
    interruption: () => signal ?? new AbortController().signal,
  };
  return { code: await runCli(args, terminal), ...said };
}

const path = (name: string): string => join(directory, name);

async function within<Result>(
  options: OpenKvOptions,
  work: (kv: Kv) => Promise<Result>,
): Promise<Result> {
  await using kv = openKv({ name: `copy-cli-${++stores}`, ...options });
  return await work(kv);
}

async function makeSource(backend: "wal" | "disk" = "disk"): Promise<string> {
  await within({ backend, path: path("from") }, async (kv) => {
    await kv.setMany({ a: 1, b: { c: [2] } });
    await kv.set("d", "for an hour", { ttl: 3_600_000 });
    for (const element of [1, 2, 3]) await kv.append("queue", element);
    await kv.filter("seen").add("x");
  });
  return path("from");
}

async function contentAt(options: OpenKvOptions): Promise<object> {
  return within(options, async (kv) => ({
    values: await kv.list(),
    queue: await kv.range("queue", 0, 10),
    seen: await kv.filter("seen").contains("x"),
    isMortal: ((await kv.ttl("d")) ?? 0) > 3_000_000,
  }));
}

const content = {
  values: [
    { key: "a", value: 1 },
    { key: "b", value: { c: [2] } },
    { key: "d", value: "for an hour" },
  ],
  queue: [1, 2, 3],
  seen: true,
  isMortal: true,
};

describe("paths", () => {
  test("a new path becomes a disk store", async () => {
    const from = await makeSource("wal");
    const { code, out, error, progress } = await run(["copy", from, path("to")]);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toMatch(
      new RegExp(
        `^${from} -> ${path("to")}: 7 rows written\n` +
          "  values: 3 rows, checksum [0-9a-f]{13}\n" +
          "  arrays: 3 elements, checksum [0-9a-f]{13}\n" +
          "  filters: 1 item, checksum [0-9a-f]{13}\n" +
          "Source and target are equal; both were read again.\n$",
      ),
    );
    expect(progress.at(-1)).toBeUndefined();
    expect(await contentAt({ backend: "disk", path: path("to") })).toEqual(content);
    expect((await run(["verify", path("to")])).code).toBe(0);
  });

  test("or a wal store, when asked; an empty directory will do", async () => {
    const from = await makeSource();
    mkdirSync(path("to"));
    expect((await run(["copy", from, path("to"), "--backend", "wal"])).code).toBe(0);
    expect(await contentAt({ backend: "wal", path: path("to") })).toEqual(content);
    expect((await run(["verify", path("to")])).code).toBe(0);
  });

  test("as JSON", async () => {
    const from = await makeSource();
    const { out } = await run(["copy", "--json", from, path("to")]);
    expect(JSON.parse(out)).toMatchObject({
      ...{ from, to: path("to"), mode: "fill", resumed: false, written: 7, kept: 0, removed: 0 },
      tables: { values: { rows: 3 }, arrays: { rows: 3 }, filters: { rows: 1 } },
    });
  });

  test("a backup is a source like any other", async () => {
    await makeSource("wal");
    await within({ backend: "wal", path: path("from") }, (kv) =>
      kv.backup({ fileName: path("backup") }),
    );
    expect((await run(["copy", path("backup"), path("to")])).code).toBe(0);
    expect(await contentAt({ backend: "disk", path: path("to") })).toEqual(content);
  });
});

describe("refused", () => {
  test("a target that is not empty: 2; with --merge or --replace it is taken", async () => {
    const from = await makeSource();
    const mine = { backend: "disk", path: path("to") } as const;
    await within(mine, (kv) => kv.set("mine", 1));
    const refused = await run(["copy", from, path("to")]);
    expect(refused.code).toBe(2);
    expect(refused.error).toBe(
      `anykv: ${path("to")} is not empty (ANYKV_COPY_TARGET)\n` +
        "  copy to an empty store, or say --replace or --merge\n",
    );
    expect((await run(["copy", "--merge", from, path("to")])).code).toBe(0);
    expect(await within(mine, (kv) => kv.get("mine"))).toBe(1);
    const replaced = await run(["copy", "--replace", from, path("to")]);
    expect(replaced.out).toContain("0 rows written, 7 rows there already, 1 row removed");
    expect(await contentAt(mine)).toEqual(content);
  });

  test("what is no store, or not clear: 2 or 3, and nothing comes into being", async () => {
    const from = await makeSource();
    writeFileSync(path("text"), "mine");
    mkdirSync(path("directory"));
    const to = path("to");
    for (const [code, name, ...args] of [
      [3, "DISK_PATH", path("nothing"), to],
      [3, "DISK_PATH", path("directory"), to],
      [3, "DISK_STORE_OPEN", path("text"), to],
      [3, "DISK_STORE_OPEN", from, path("text")],
      [2, "INVALID_OPTIONS", from, to, "--replace", "--merge"],
      [2, "INVALID_OPTIONS", from, from, "--backend", "wal"],
      [2, "COPY_TARGET", from, from],
      [2, "INVALID_OPTIONS", "http://localhost", to],
      [2, "INVALID_OPTIONS", "valkey://", to],
      [2, "INVALID_OPTIONS", "valkey://u:secret@h:1/x", to],
      [2, "INVALID_OPTIONS", "valkey://u:secret@h:1?partitions=many", to],
      [2, "INVALID_OPTIONS", "valkey://u:secret@h:1?cluster=yes", to],
      [2, "INVALID_OPTIONS", "valkey://u:secret@h:1?tls=true", to],
      [2, "INVALID_OPTIONS", "valkey://u:secret@h:99999", to],
      [2, "INVALID_OPTIONS", from, "valkey://localhost", "--backend", "wal"],
    ] as const) {
      const { code: found, error } = await run(["copy", ...args]);
      expect({ args, found }).toEqual({ args, found: code });
      expect(error, args.join(" ")).toContain(`ANYKV_${name}`);
      expect(error).not.toContain("secret");
    }
    const unknown = await run(["copy", from, to, "--backend", "shared"]);
    expect(unknown).toMatchObject({
      code: 2,
      error: expect.stringMatching(/choices are disk, wal/),
    });
    for (const [url, said] of [
      ["valkey://u:secret@h:1?bogus=1", 'the parameter "bogus" in the URL TO is not known'],
      ["valkey://u:secret@h:1?name=a&Name=b", 'the parameter "Name" in the URL TO is not known'],
      ["valkey://h?database=1", 'the parameter "database" in the URL TO is not known'],
      ["unix:///x?database=1&tls=1", 'the parameter "tls" in the URL TO is not known'],
      ["valkey://h?name=a&name=b", 'the parameter "name" in the URL TO must be given once'],
      ["valkey://h?name=", 'the parameter "name" in the URL TO must be given once, with a value'],
      ["valkey://u:secret@h:1/x", "the URL TO must name a database by its number"],
      ["valkey://u:secret@h:1?partitions=many", '"partitions" in the URL TO must be an integer'],
      ["valkey://u:1?secret@h", "a parameter in the URL TO is not known"],
      ["valkey://u:p/secret@h", "TO is an URL that is malformed"],
    ] as const) {
      const { code, error } = await run(["copy", from, url]);
      expect(code, url).toBe(2);
      expect(error).toContain(said);
      expect(error).not.toContain("secret");
    }
    expect((await run(["copy", from])).code).toBe(2);
    expect((await run(["verify", to])).error).toContain("neither the file nor the directory");
  });

  test("nothing in the place of something: 2", async () => {
    await within({ backend: "disk", path: path("from") }, async (kv) => kv.clear());
    await within({ backend: "disk", path: path("to") }, (kv) => kv.set("mine", 1));
    const { code, error } = await run(["copy", "--replace", path("from"), path("to")]);
    expect(code).toBe(2);
    expect(error).toContain("holds nothing, so");
    expect(await within({ backend: "disk", path: path("to") }, (kv) => kv.get("mine"))).toBe(1);
  });
});

test("a signal: 130, and the same command goes on", async () => {
  const from = await makeSource();
  const stopped = await run(["copy", from, path("to")], AbortSignal.abort(new Error("SIGINT")));
  expect(stopped.code).toBe(130);
  expect(stopped.error).toBe(
    "anykv: operation was canceled: SIGINT (ANYKV_OPERATION_CANCELED)\n" +
      "  what has arrived stays in TO; the same command goes on from there\n",
  );
  expect((await run(["copy", from, path("to")])).code).toBe(0);
});

describe.each(["wal", "disk"] as const)("a copy into %s that was given up", (backend) => {
  let warnings: { readonly text: string; readonly options: unknown }[];

  beforeEach(async () => {
    const source = { store: await storeAt(await makeSource()), address: "a", identity: "shop" };
    const target = { store: await storeAt(path("to"), backend), address: "b", identity: "b" };
    const controller = new AbortController();
    const { put } = target.store.content;
    target.store.content.put = async (pieces) => {
      await put(pieces);
      controller.abort(new Error("SIGINT"));
    };
    const copying = { env: nodeEnv, signal: controller.signal, onProgress: undefined };
    const request = { from: source, to: target, mode: "fill" } as const;
    await expect(copyStore(copying, request)).rejects.toThrow("SIGINT");
    for (const { store } of [source, target]) await store.close();
    warnings = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text, options) => {
      warnings.push({ text: String(text), options });
    });
  });

  afterEach(() => void vi.restoreAllMocks());

  test("verify and whoever opens it are told, until a copy has come to its end", async () => {
    const verified = await run(["verify", path("to")]);
    expect(verified.code).toBe(1);
    expect(verified.out).toContain(
      'A copy into it has not come to its end, so rows may be missing: {"from":"shop"}',
    );
    expect((await run(["repair", path("to")])).out).toContain("nothing to repair");
    await within({ backend, path: path("to") }, (kv) => kv.size());
    expect(warnings).toEqual([
      {
        text: `a copy into ${path("to")} has not come to its end: what it lacks is missing`,
        options: expect.objectContaining({ code: "ANYKV_UNFINISHED_COPY" }),
      },
    ]);
    expect((await run(["copy", "--replace", path("from"), path("to")])).code).toBe(0);
    await within({ backend, path: path("to") }, (kv) => kv.size());
    expect(warnings).toHaveLength(1);
    expect((await run(["verify", path("to")])).code).toBe(0);
  });
});

async function storeAt(at: string, backend: "wal" | "disk" = "disk"): Promise<Store> {
  return openStore(normalizeOptions({ backend, path: at, name: `copy-cli-${++stores}` }));
}

describeWith("with a server", lackOfAny(), () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.stop());

  test("a store that holds nothing is none to copy: 2, and nothing comes into being", async () => {
    const { code, error } = await run(["copy", `${server.url}?name=typo`, path("to")]);
    expect(code).toBe(2);
    expect(error).toBe(
      `anykv: ${server.url}?name=typo holds nothing (ANYKV_COPY_TARGET)\n` +
        "  check `name`, `prefix` and the database of FROM\n",
    );
    expect((await run(["verify", path("to")])).error).toContain("neither the file nor");
    await run(["copy", `${server.url}?name=typo&partitions=3`, `${server.url}?name=to`]);
    expect(await server.cli("keys", "*")).toBe("");
  });

  test("one store under two names of its server: 2, and claims live on", async () => {
    const options = { name: "one", backend: "valkey", valkey: { url: server.url } } as const;
    await within(options, async (kv) => {
      await kv.set("a", 1);
      const claim = await kv.claimKey("a");
      const [here, there] = ["127.0.0.1", "localhost"].map(
        (host) => `valkey://${host}:${server.port}?name=one`,
      ) as [string, string];
      for (const mode of [[], ["--replace"], ["--merge"]]) {
        const { code, error } = await run(["copy", here, there, ...mode]);
        expect(code).toBe(2);
        expect(error).toContain(`${there} is the source and the target of the copy`);
      }
      if (claim !== null) await kv.set("a", 2, { claim });
      expect(await kv.get("a")).toBe(2);
      expect(await server.cli("hexists", "anykv:{one:0}:n", "mark")).toBe("0");
    });
  });

  test("there and back, each store under its name", async () => {
    const from = await makeSource("wal");
    const url = `${server.url}?name=jobs&prefix=test&partitions=3`;
    const there = await run(["copy", from, url]);
    expect(there).toMatchObject({ code: 0, error: "" });
    expect(there.out).toContain(`${from} -> ${server.url}?name=jobs&prefix=test&partitions=3: 7`);
    const valkey = { url: server.url, prefix: "test", partitions: 3 };
    expect(await contentAt({ name: "jobs", backend: "valkey", valkey })).toEqual(content);
    expect((await run(["copy", url, `${server.url}?name=other`])).code).toBe(0);
    const back = await run(["copy", `${server.url}?name=other`, path("back"), "--json"]);
    expect(JSON.parse(back.out)).toMatchObject({ from: `${server.url}?name=other`, written: 7 });
    expect(await contentAt({ backend: "disk", path: path("back") })).toEqual(content);
  });

  test("a password from the environment, for an URL without one", async () => {
    const from = await makeSource();
    await server.cli("acl", "setuser", "app", "on", ">hunter2", "+@all", "~*");
    const url = server.url.replace("//", "//app@");
    const stored = `${url}?name=secret`;
    expect((await run(["copy", from, stored])).error).toContain("ANYKV_SERVER_ACCESS");
    vi.stubEnv("ANYKV_TO_PASSWORD", "hunter2");
    const there = await run(["copy", from, stored]);
    expect(there).toMatchObject({ code: 0, error: "" });
    expect(there.out).not.toContain("hunter2");
    // That of the target is not that of the source, and what stands in the URL comes first.
    expect((await run(["copy", stored, path("to")])).error).toContain("ANYKV_SERVER_ACCESS");
    const wrong = stored.replace("app@", "app:wrong@");
    expect((await run(["copy", from, wrong])).error).toContain("ANYKV_SERVER_ACCESS");
    vi.stubEnv("ANYKV_FROM_PASSWORD", "hunter2");
    expect((await run(["copy", stored, path("to")])).code).toBe(0);
    vi.unstubAllEnvs();
  });

  test("another number of partitions, and nobody there", async () => {
    const from = await makeSource();
    await run(["copy", from, `${server.url}?name=spread&partitions=2`]);
    const other = await run(["copy", `${server.url}?name=spread`, path("to")]);
    expect(other.code).toBe(2);
    expect(other.error).toContain("partitions: 2");
    const nobody = await run(["copy", from, `valkey://u:secret@127.0.0.1:${await freePort()}`]);
    expect(nobody.code).toBe(3);
    expect(nobody.error).toContain("ANYKV_SERVER_CONNECTION");
    expect(nobody.error).not.toContain("secret");
  });
});
