// The commands on what is in a store: the same answers on files, through the RESP door of a running
// server, and through its HTTP door.

import { getEventListeners } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { type KvServer, serve } from "anykv/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { httpPlace, openHttpTarget } from "../../src/cli/http-calls.js";
import { type CommandRun, runCommand, type Somebody } from "./run-command.js";

let directory = "";
let stores = 0;
const closings: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-commands-"));
});
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

const path = (name: string): string => join(directory, name);

async function served(serialization: "json" | "string" | "bytes" = "json"): Promise<KvServer> {
  const kv = openKv({ name: `commands ${++stores}`, backend: "memory", serialization });
  closings.push(() => kv.close());
  const doors = await serve(kv, { resp: { port: 0 }, http: { port: 0 } });
  closings.push(() => doors.close());
  return doors;
}

type Kind = "wal" | "disk" | "resp" | "http";

/** The argument STORE of a store with nothing in it. */
async function newStore(kind: Kind): Promise<string> {
  if (kind === "resp" || kind === "http") {
    const { address } = await served();
    const url = kind === "http" ? address.http?.url : address.resp?.url;
    return url as string;
  }
  const made = openKv({ name: `commands ${++stores}`, backend: kind, path: path("store") });
  await made.size();
  await made.close();
  return path("store");
}

const run = (...args: string[]): Promise<CommandRun> => runCommand(args);

async function outOf(args: readonly string[], somebody?: Somebody): Promise<string> {
  const { code, out, error } = await runCommand(args, somebody);
  expect({ code, error }).toStrictEqual({ code: 0, error: "" });
  return out;
}

describe.each<Kind>(["wal", "disk", "resp", "http"])("on %s", (kind) => {
  let store = "";
  beforeEach(async () => {
    store = await newStore(kind);
  });

  test("what is set is got, counted, scanned and deleted", async () => {
    await outOf(["set", store, "a", '{"n":1}']);
    await outOf(["set", store, "b", "--text", "7"]);
    await outOf(["set", store, "c", "-"], { input: "[1, 2]" });
    expect(await outOf(["get", store, "a"])).toBe('{"n":1}\n');
    expect(await outOf(["get", store, "b"])).toBe("7\n");
    expect(JSON.parse(await outOf(["get", "--json", store, "b"]))).toStrictEqual({
      key: "b",
      exists: true,
      value: "7",
    });
    expect(await outOf(["count", store])).toBe("3\n");
    expect(await outOf(["count", store, "--prefix", "b"])).toBe("1\n");
    expect(await outOf(["scan", store])).toBe('a\t{"n":1}\nb\t"7"\nc\t[1,2]\n');
    expect(await outOf(["scan", store, "--json", "--limit", "1"])).toBe(
      '{"key":"a","value":{"n":1}}\n',
    );
    expect(await outOf(["scan", store, "--keys", "--prefix", "c"])).toBe("c\n");
    expect(await outOf(["del", store, "a", "b", "none"])).toBe(
      "2 values deleted, 1 key not there\n",
    );
    expect(JSON.parse(await outOf(["stats", "--json", store]))).toMatchObject({ count: 1 });
    expect(await outOf(["stats", store])).toContain("  1 value\n");
  });

  test("a key that is not there, and one that is: 4", async () => {
    const missing = await run("get", store, "none");
    expect(missing).toMatchObject({ code: 4, out: "", error: 'anykv: there is no key "none"\n' });
    expect(JSON.parse((await run("get", "--json", store, "none")).out)).toStrictEqual({
      key: "none",
      exists: false,
    });
    await outOf(["set", store, "k", "1", "--if-absent"]);
    expect(await run("set", store, "k", "2", "--if-absent")).toMatchObject({ code: 4 });
    expect(await outOf(["get", store, "k"])).toBe("1\n");
  });

  test("what is no JSON is refused, and nothing is written: 2", async () => {
    const { code, error } = await run("set", store, "k", "Ada");
    expect(code).toBe(2);
    expect(error).toContain("the store keeps JSON, and the value is none");
    expect(await outOf(["count", store])).toBe("0\n");
  });

  test("what would be stored as another number is refused: 2", async () => {
    const { code, error } = await run("set", store, "k", '{"id":12345678901234567890}');
    expect(code).toBe(2);
    expect(error).toContain("the number 12345678901234567890 would be stored as 1234567890123456");
    expect(await outOf(["count", store])).toBe("0\n");
    const exact = '{"a":"12345678901234567890","b":9007199254740992,"c":1.25e30}';
    await outOf(["set", store, "k", exact]);
    expect(await outOf(["get", store, "k"])).toBe(
      '{"a":"12345678901234567890","b":9007199254740992,"c":1.25e+30}\n',
    );
  });

  test("a time to live, kept and taken away", async () => {
    await outOf(["set", store, "k", "1", "--ttl", "1h"]);
    await outOf(["set", store, "k", "2", "--keep-ttl"]);
    expect(await outOf(["get", store, "k"])).toBe("2\n");
    expect((await run("set", store, "k", "3", "--keep-ttl", "--ttl", "1s")).code).toBe(2);
    expect((await run("set", store, "k", "3", "--ttl", "soon")).code).toBe(2);
  });

  test("a prefix is deleted when somebody agrees", async () => {
    for (const key of ["s:1", "s:2", "t"]) await outOf(["set", store, key, "1"]);
    const args = ["del", store, "--prefix", "s:"];
    expect(await runCommand(args, { answer: false })).toMatchObject({ code: 2, out: "" });
    expect(await runCommand(args)).toMatchObject({ code: 2, out: "" });
    const agreed = await runCommand(args, { answer: true });
    expect(agreed).toMatchObject({ code: 0, out: "2 values deleted\n" });
    expect(agreed.questions).toStrictEqual([
      `Delete 2 values whose key begins with "s:" from ${store}?`,
    ]);
    expect(await outOf(["scan", store, "--keys"])).toBe("t\n");
    expect((await run("del", store, "--prefix", "")).code).toBe(2);
    expect((await run("del", store)).code).toBe(2);
  });

  test("keys cannot end a line or steer a terminal", async () => {
    await outOf(["set", store, "a\n\u001b[2J\t\\", "1"]);
    expect(await outOf(["scan", store, "--keys"])).toBe("a\\n\\u001b[2J\\t\\\\\n");
  });
});

describe.each<Kind>(["disk", "http"])("bench on %s", (kind) => {
  let store = "";
  beforeEach(async () => {
    store = await newStore(kind);
  });

  test("bench leaves nothing behind and touches nothing", async () => {
    await outOf(["set", store, "mine", "1"]);
    const options = ["--seconds", "1", "--keys", "10", "--concurrency", "3"];
    const report = JSON.parse(await outOf(["bench", "--json", store, ...options]));
    for (const name of ["set", "get", "claim"]) {
      expect(report[name].operations).toBeGreaterThan(0);
      const { lowestPerSecond, medianPerSecond, highestPerSecond } = report[name];
      expect(lowestPerSecond).toBeLessThanOrEqual(medianPerSecond);
      expect(medianPerSecond).toBeLessThanOrEqual(highestPerSecond);
    }
    expect(await outOf(["scan", store])).toBe("mine\t1\n");
    expect(await outOf(["claims", store])).toBe("");
  }, 60_000);

  test("a measurement that is interrupted leaves nothing behind: 130", async () => {
    const signal = AbortSignal.abort(new Error("SIGINT"));
    expect(await runCommand(["bench", store], { signal })).toMatchObject({
      code: 130,
    });
    expect(await outOf(["count", store])).toBe("0\n");
  });
});

describe("claims", () => {
  async function pool(): Promise<{ kv: Kv; urls: string[] }> {
    const kv = openKv({ name: `commands ${++stores}`, backend: "memory" });
    closings.push(() => kv.close());
    const doors = await serve(kv, { resp: { port: 0 }, http: { port: 0 }, storeName: "pool" });
    closings.push(() => doors.close());
    const { resp, http } = doors.address;
    return { kv, urls: [`${resp?.url}?name=pool`, http?.url as string] };
  }

  test("are listed and released, wherever they are asked for", async () => {
    const { kv, urls } = await pool();
    await kv.setMany({ "job:1": 1, "job:2": 2, "job:21": 21, other: 3 });
    for (const url of urls) {
      const first = await kv.claimKey("job:2", { owner: "ann\tb", ttl: 60_000 });
      await kv.claimKey("job:21", { ttl: 60_000 });
      const lines = (await outOf(["claims", url])).split("\n");
      expect(lines[0]).toMatch(
        new RegExp(`^job:2\t${first?.token}\t\\d{4}-\\S+Z\t(60|59) s\tann\\\\tb$`),
      );
      expect(lines).toHaveLength(3);
      const listed = (await outOf(["claims", "--json", url, "--limit", "1"])).trim();
      expect(JSON.parse(listed)).toStrictEqual({
        ...{ id: first?.id, key: "job:2", token: first?.token },
        ...{ expiresAt: first?.expiresAt, owner: "ann\tb" },
      });

      const release = ["claims", url, "--release", "job:2"];
      expect(await runCommand(release)).toMatchObject({ code: 2, out: "" });
      expect(await runCommand(release, { answer: false })).toMatchObject({ code: 2 });
      expect((await kv.listClaims()).claims).toHaveLength(2);
      expect(await runCommand(release, { answer: true })).toMatchObject({
        ...{ code: 0, out: 'the claim on "job:2" is released\n' },
      });
      expect(await runCommand(release, { answer: true })).toMatchObject({ code: 4 });
      expect((await kv.listClaims()).claims.map(({ key }) => key)).toStrictEqual(["job:21"]);
      const yes = await run("claims", url, "--release", "job:21", "--yes", "--json");
      expect(JSON.parse(yes.out)).toMatchObject({ key: "job:21", released: true });
    }
    expect(await kv.size()).toBe(4);
  });
});

describe("files", () => {
  test("what has many pages comes in order", async () => {
    const lines = Array.from({ length: 1_203 }, (_, n) => `{"key":"k${1_000 + n}","value":${n}}`);
    writeFileSync(path("many.jsonl"), `${lines.join("\n")}\n`);
    const { address } = await served();
    await outOf(["import", address.resp?.url as string, path("many.jsonl")]);
    for (const url of [address.resp?.url, address.http?.url]) {
      expect(await outOf(["scan", "--json", url as string])).toBe(`${lines.join("\n")}\n`);
      const some = await outOf(["scan", "--json", url as string, "--limit", "1001"]);
      expect(some).toBe(`${lines.slice(0, 1_001).join("\n")}\n`);
    }
  });

  test("values go to a file and back, through every way there is", async () => {
    const { address } = await served();
    const [resp, http] = [address.resp?.url as string, address.http?.url as string];
    await outOf(["set", resp, "u1", '{"name":"Ann","note":"a\\n\\"b\\""}']);
    await outOf(["set", resp, "u2", '{"name":"Bob","note":""}']);
    for (const [index, store] of [resp, http].entries()) {
      const report = await outOf(["export", "--json", store, path(`all${index}.jsonl`)]);
      expect(JSON.parse(report)).toMatchObject({ exported: 2 });
      const csv = ["--column", "name", "note", "--json"];
      const rows = await outOf(["export", store, path(`all${index}.csv`), ...csv]);
      expect(JSON.parse(rows)).toMatchObject({ exported: 2 });
    }
    for (const end of ["jsonl", "csv"]) {
      expect(readFileSync(path(`all1.${end}`), "utf8")).toBe(
        readFileSync(path(`all0.${end}`), "utf8"),
      );
    }
    const target = path("target");
    await outOf([
      "import",
      target,
      path("all0.jsonl"),
      "--key-prefix",
      "copy:",
      "--backend",
      "wal",
    ]);
    expect(await outOf(["scan", "--keys", target])).toBe("copy:u1\ncopy:u2\n");
    await outOf(["import", target, path("all1.csv"), "--key-column", "key"]);
    expect(await outOf(["get", target, "u1"])).toBe(
      '{"key":"u1","name":"Ann","note":"a\\n\\"b\\""}\n',
    );
  });

  test("a file is checked and nothing written: 1 for what would be refused", async () => {
    const store = await newStore("disk");
    writeFileSync(path("bad.jsonl"), '{"key":"a","value":1}\n{"key":"","value":2}\n');
    const { code, out } = await run("import", "--check", store, path("bad.jsonl"));
    expect(code).toBe(1);
    expect(out).toMatch(/^1 row in order before line 2: /);
    expect(await outOf(["count", store])).toBe("0\n");
  });

  test("a backup is restored; what is there is not lost unasked", async () => {
    const store = await newStore("wal");
    await outOf(["set", store, "a", "1"]);
    await outOf(["backup", store, path("backup")]);
    await outOf(["set", store, "a", "2"]);
    const restore = ["restore", store, path("backup")];
    expect(await runCommand(restore, { answer: false })).toMatchObject({ code: 2 });
    expect(await outOf(["get", store, "a"])).toBe("2\n");
    expect(await runCommand(restore, { answer: true })).toMatchObject({
      ...{ code: 0, out: "1 entry restored\n" },
    });
    expect(await outOf(["get", store, "a"])).toBe("1\n");
    await outOf(["restore", path("new"), path("backup"), "--backend", "wal"]);
    expect(await outOf(["get", path("new"), "a"])).toBe("1\n");
  });

  test("a store of nothing but filters is not empty", async () => {
    const made = openKv({ name: `commands ${++stores}`, backend: "wal", path: path("seen") });
    await made.filter("mails").add("ann@example.org");
    await made.backup({ fileName: path("backup") });
    await made.close();
    const asked = await runCommand(["restore", path("seen"), path("backup")], { answer: false });
    expect(asked).toMatchObject({
      code: 2,
      questions: ["Replace everything in the store, 1 entry?"],
    });
  });

  test("a file that is not there brings no store into being", async () => {
    for (const command of ["import", "restore"]) {
      expect((await run(command, path("none"), path("missing.jsonl"))).code).toBe(3);
      expect((await run("count", path("none"))).code).toBe(3);
    }
  });
});

describe("what is refused", () => {
  test("what an HTTP door cannot do: 2, and says what can", async () => {
    const { address } = await served();
    const url = address.http?.url as string;
    writeFileSync(path("a.jsonl"), '{"key":"a","value":1}\n');
    for (const args of [
      ["import", url, path("a.jsonl")],
      ["backup", url, path("b")],
      ["restore", url, path("a.jsonl")],
    ]) {
      const { code, error } = await runCommand(args);
      expect(code).toBe(2);
      expect(error).toContain(`${args[0]} does not work through an HTTP door`);
      expect(error).toContain("valkey://host:port");
    }
    expect((await run("get", url, "a", "--serialization", "json")).code).toBe(2);
  });

  test("an address without its scheme is no path: 2", async () => {
    const { code, error } = await run("set", "localhost:6380", "k", "1");
    expect({ code, error }).toMatchObject({
      code: 2,
      error: expect.stringContaining("write valkey://localhost:6380 or http://localhost:6380"),
    });
  });

  test("a time without its unit: 2", async () => {
    const { code, error } = await run("set", path("store"), "k", "1", "--ttl", "30");
    expect(code).toBe(2);
    expect(error).toContain("It must be a duration like");
    expect(readdirSync(directory)).toStrictEqual([]);
  });

  test("reading makes no store", async () => {
    for (const command of ["get", "del"]) {
      const { code, error } = await run(command, path("none"), "key");
      expect(code).toBe(3);
      expect(error).toContain("is neither the file nor the directory of a store");
    }
  });

  test("an export through HTTP that is interrupted leaves no file: 130", async () => {
    const controller = new AbortController();
    const server = createServer((_, response) => {
      response.write('{"key":"a","value":1}\n', () => controller.abort(new Error("SIGINT")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { signal } = controller;
    const ended = await runCommand(["export", `http://127.0.0.1:${port}`, path("f.jsonl")], {
      signal,
    });
    expect(ended).toMatchObject({
      code: 130,
      error: expect.stringContaining("was canceled: SIGINT"),
    });
    expect(readdirSync(directory)).toStrictEqual([]);
    server.closeAllConnections();
    server.close();
  });

  test("an HTTP server that is something else, or not there: 3", async () => {
    const { code, error } = await run("get", "http://127.0.0.1:9", "a");
    expect({ code, error }).toMatchObject({ code: 3, error: expect.stringContaining("no answer") });
    expect((await run("get", "http://user:secret@127.0.0.1:9", "a")).error).not.toMatch(
      /user:secret@/,
    );
  });

  test("a password in an argument is warned of, and shown nowhere", async () => {
    const { error, out } = await run("get", "valkey://:sesame@127.0.0.1:1", "a");
    expect(error).toContain("warning: a password in an argument");
    expect(out + error).not.toContain("sesame");
  });
});

test("calls through HTTP do not stay on the list of their signal", async () => {
  const { signal } = new AbortController();
  const { address } = await served();
  const { calls } = await openHttpTarget(httpPlace(`${address.http?.url}`, undefined, signal));
  await calls.set("k", 1, {});
  expect(await calls.find("k")).toBe(1);
  expect(getEventListeners(signal, "abort")).toStrictEqual([]);
});

test("bytes come and go as they are", async () => {
  const { address } = await served("bytes");
  const http = address.http?.url as string;
  const store = path("bytes");
  const bytes = Uint8Array.of(0, 255, 10);
  for (const [url, mode] of [
    [store, ["--serialization", "bytes"]],
    [http, []],
  ] as const) {
    await outOf(["set", url, "logo", "-", ...mode], { input: bytes });
    expect(await outOf(["get", url, "logo", ...mode])).toBe("\u0000\u00ff\n");
    expect(JSON.parse(await outOf(["get", "--json", url, "logo", ...mode])).value).toBe("AP8K");
  }
});
