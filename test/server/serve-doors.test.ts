// Both doors of one server: one store, one name, one directory for files.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, OperationCanceledError, openKv } from "anykv";
import { type KvServer, type ServeOptions, serve } from "anykv/server";
import { Redis } from "iovalkey";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newDeferred } from "../../src/base/deferred.js";
import { verifyLmdb } from "../../src/engines/lmdb/verify.js";
import { nodeEnv } from "../../src/env/env.js";
import { checkRows } from "../../src/operations/check.js";
import { describeWith, lackOf, startServer } from "../remote/servers.js";

let stores = 0;
let around: string;
let directory: string;
const ends: (() => unknown)[] = [];

beforeEach(() => {
  around = mkdtempSync(join(tmpdir(), "anykv-serve-"));
  directory = join(around, "files");
  mkdirSync(directory);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(around, { recursive: true, force: true });
});

function openStore(options: Parameters<typeof openKv>[0] = {}): Kv {
  const kv = openKv({ backend: "memory", name: `doors ${++stores}`, ...options });
  ends.push(() => kv.close());
  return kv;
}

async function served(kv: Kv, options: ServeOptions = {}): Promise<KvServer> {
  const server = await serve(kv, { resp: { port: 0 }, http: { port: 0 }, ...options });
  ends.push(() => server.close());
  return server;
}

function clientOf({ address }: KvServer, options: object = {}): Redis {
  const client = new Redis(address.resp?.url as string, options);
  ends.push(() => client.disconnect());
  return client;
}

async function post(
  { address }: KvServer,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${address.http?.url}/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

test("both doors show the same store, and functions by either are the same", async () => {
  const kv = openStore();
  const server = await served(kv);
  const client = clientOf(server);
  await client.set("a", "1");
  expect(await post(server, "get", { key: "a" })).toMatchObject({ body: { result: "1" } });
  const tag = "anykv:{:0}";
  const fcall = (operation: string, ...args: (string | number)[]) =>
    post(server, `fcall/${operation}`, { tag, args });
  expect(await fcall("set", "b", "j[2]")).toMatchObject({ body: { reply: 1 } });
  expect(await client.call("FCALL", "anykv_get", 1, `${tag}:v`, "b")).toBe("j[2]");
  expect(await fcall("push", "b", "last", "j1")).toStrictEqual({
    status: 200,
    body: { refusal: "ANYKV_WRONG_TYPE value 62" },
  });
  expect(await post(server, "fcall/get", { tag: "anykv:{other:0}", args: ["b"] })).toMatchObject({
    body: { refusal: `ANYKV_UNKNOWN_STORE ${tag}` },
  });
  expect((await fcall("none")).status).toBe(404);
  // What is remembered of calls is one memory.
  await client.call("FCALL", "anykv_once_begin", 1, `${tag}:v`, "me");
  const once = ["me", 1, "increment", "n", 1];
  expect(await client.call("FCALL", "anykv_once", 1, `${tag}:v`, ...once)).toBe("1");
  expect(await fcall("once", ...once)).toMatchObject({ body: { reply: "1" } });
  expect(await kv.get("n")).toBe(1);
});

test("others open the store under the name and the prefix that the server was given", async () => {
  const kv = openStore();
  await kv.set("a", 1);
  const server = await served(kv, { storeName: "jobs {1}", prefix: "p" });
  const open = (name: string | undefined, prefix: string): Kv => {
    const valkey = { url: server.address.resp?.url, prefix };
    const handle = openKv({ backend: "valkey", ...(name === undefined ? {} : { name }), valkey });
    ends.push(() => handle.close());
    return handle;
  };
  expect(await open("jobs {1}", "p").get("a")).toBe(1);
  await expect(open(undefined, "p").get("a")).rejects.toMatchObject({
    message: 'the server serves one store, which is named "jobs {1}" and has the prefix "p"',
    hint: 'open it with `name: "jobs {1}"`, in an URL for a command with ?name=jobs%20%7B1%7D',
  });
  const client = clientOf(server);
  const tag = "p:{jobs %7B1%7D:0}:v";
  expect(await client.call("FCALL", "anykv_count", 1, tag, "")).toBe(1);
  expect(await client.call("FUNCTION", "LIST")).toStrictEqual([]);
});

test("if one door cannot open, none does", async () => {
  const other = createServer(() => {});
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => other.close(resolve)));
  const { port } = other.address() as { port: number };
  const kv = openStore();
  const path = join(around, "socket");
  const opening = serve(kv, { resp: { path }, http: { port } });
  await expect(opening).rejects.toMatchObject({ name: "ServerListenError" });
  expect(readdirSync(around)).toStrictEqual(["files"]);
  const server = await served(kv, { resp: { path } });
  await server.close();
  await expect(fetch(`${server.address.http?.url}/healthz`)).rejects.toThrow();
  expect(readdirSync(around)).toStrictEqual(["files"]);
});

test("closing the handle closes both doors", async () => {
  const kv = openStore();
  const server = await served(kv);
  const { body } = await post(server, "size", {});
  expect(body).toStrictEqual({ result: 0 });
  await kv.close();
  await expect(fetch(`${server.address.http?.url}/healthz`)).rejects.toThrow();
});

describe("files by FCALL", () => {
  const begun = async (options: ServeOptions = {}) => {
    const kv = openStore();
    await kv.setMany({ a: { n: "1" }, b: { n: "2" } });
    const server = await served(kv, { files: directory, ...options });
    const client = clientOf(server);
    const call = async (operation: string, request: unknown): Promise<unknown> => {
      const text = typeof request === "string" ? request : JSON.stringify(request);
      const name = `anykv_${operation}`;
      return JSON.parse((await client.call("FCALL", name, 1, "anykv:{:0}:v", text)) as string);
    };
    return { kv, server, client, call };
  };

  test("a backup and a restore", async () => {
    const { kv, call } = await begun();
    expect(await call("backup", { fileName: "deep/a.kv" })).toMatchObject({ totalEntries: 2 });
    expect(readdirSync(join(directory, "deep"))).toStrictEqual(["a.kv"]);
    await kv.clear();
    expect(await call("restore", { fileName: "deep/a.kv" })).toStrictEqual({ totalEntries: 2 });
    expect(await kv.get("b")).toStrictEqual({ n: "2" });
  });

  test("names as long as they may be", async () => {
    const { call } = await begun();
    const fileName = "x".repeat(150);
    expect(await call("backup", { fileName })).toMatchObject({ totalEntries: 2 });
    expect(await call("restore", { fileName })).toStrictEqual({ totalEntries: 2 });
    const other = { fileName: "y".repeat(150) };
    expect(await call("export_jsonl", other)).toMatchObject({ exported: 2 });
  });

  test("lines and tables", async () => {
    const { kv, call } = await begun();
    const lines = { fileName: "a.jsonl" };
    expect(await call("export_jsonl", { ...lines, prefix: "a" })).toMatchObject({
      exported: 1,
      fileName: "a.jsonl",
    });
    expect(readFileSync(join(directory, "a.jsonl"), "utf8")).toBe(
      '{"key":"a","value":{"n":"1"}}\n',
    );
    expect(await call("validate_jsonl", lines)).toMatchObject({ valid: true, records: 1 });
    expect(await call("import_jsonl", { ...lines, keyPrefix: "new " })).toMatchObject({
      imported: 1,
    });
    expect(await kv.get("new a")).toStrictEqual({ n: "1" });
    const table = { fileName: "a.csv" };
    expect(await call("export_csv", { ...table, columns: ["n"] })).toMatchObject({ exported: 3 });
    expect(await call("validate_csv", { ...table, keyColumn: "key" })).toMatchObject({ rows: 3 });
    await kv.clear();
    expect(await call("import_csv", { ...table, keyColumn: "key" })).toMatchObject({ imported: 3 });
    expect(await kv.size()).toBe(3);
  });

  test("names lead nowhere else", async () => {
    const { call } = await begun();
    writeFileSync(join(around, "outside.jsonl"), '{"key":"stolen","value":1}\n');
    const names = ["../outside.jsonl", "/etc/passwd", "a/../../outside.jsonl", "a\0b", "", 1];
    for (const fileName of names) {
      for (const operation of ["import_jsonl", "export_jsonl", "backup", "restore"]) {
        await expect(call(operation, { fileName })).rejects.toThrow(
          /^ANYKV_REFUSED InvalidOptionsError /,
        );
      }
    }
    expect(readdirSync(around).sort()).toStrictEqual(["files", "outside.jsonl"]);
  });

  test("what is refused is told by the name of its error, without the place of the server", async () => {
    const { call, client } = await begun();
    const missing = await call("import_jsonl", { fileName: "none" }).catch(String);
    expect(missing).toContain("ANYKV_REFUSED SnapshotNotFoundError ");
    expect(missing).not.toContain(around);
    for (const request of ["{", "[]", "1", "null"]) {
      await expect(call("backup", request)).rejects.toThrow("ANYKV_REFUSED InvalidOptionsError");
    }
    await expect(call("backup", { fileName: "a", filename: "b" })).rejects.toThrow(
      'argument "filename" of backup is not known',
    );
    const key = "anykv:{:0}:v";
    await expect(client.call("FCALL", "anykv_backup", 1, key)).rejects.toThrow("one argument");
    await expect(client.call("FCALL_RO", "anykv_backup", 1, key, "{}")).rejects.toThrow("ERR");
    await expect(
      client.call("FCALL", "anykv_backup", 1, "anykv:{other:0}:v", "{}"),
    ).rejects.toThrow("ANYKV_UNKNOWN_STORE");
  });

  test("work ends when the caller of the HTTP door hangs up", async () => {
    const { kv, server } = await begun();
    const [started, ended] = [newDeferred(), newDeferred()];
    kv.exportJSONL = (given) => {
      started.resolve();
      return new Promise((_resolve, reject) => {
        given.signal?.addEventListener("abort", () => {
          ended.resolve();
          reject(new OperationCanceledError("operation was canceled"));
        });
      });
    };
    const caller = new AbortController();
    const answer = fetch(`${server.address.http?.url}/v1/fcall/export_jsonl`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ tag: "anykv:{:0}", args: ['{"fileName":"a"}'] }),
      signal: caller.signal,
    });
    await started.promise;
    caller.abort();
    await expect(answer).rejects.toThrow();
    await ended.promise;
  });

  test("without a directory there are no files", async () => {
    const { call } = await begun({ files: undefined });
    await expect(call("backup", { fileName: "a" })).rejects.toThrow(
      "ANYKV_REFUSED RequestRefusedError this server has no directory for files",
    );
  });

  test("who may only read makes no files, by either door", async () => {
    const users = [{ name: "r", password: "password", readOnly: true }];
    const tokens = [{ token: "read-only", readOnly: true }];
    const server = await served(openStore(), {
      resp: { port: 0, users },
      http: { port: 0, tokens },
      files: directory,
    });
    const client = clientOf(server, { username: "r", password: "password" });
    const request = JSON.stringify({ fileName: "a" });
    const key = "anykv:{:0}:v";
    await expect(client.call("FCALL", "anykv_backup", 1, key, request)).rejects.toThrow("NOPERM");
    await expect(client.call("FCALL_RO", "anykv_backup", 1, key, request)).rejects.toThrow("ERR");
    const headers = { Authorization: "Bearer read-only" };
    const body = { tag: "anykv:{:0}", args: [request] };
    expect((await post(server, "fcall/backup", body, headers)).status).toBe(403);
    expect((await post(server, "backup", { fileName: "a" }, headers)).status).toBe(403);
    expect(readdirSync(directory)).toStrictEqual([]);
  });
});

test("arrays of a backup that was taken elsewhere stay apart from new ones", async () => {
  const server = await served(openStore(), { http: false, storeName: "arrays" });
  const valkey = { url: server.address.resp?.url as string };
  const elsewhere = openStore({ backend: "valkey", name: "arrays", valkey });
  for (const job of ["a", "b", "c"]) await elsewhere.append("jobs", job);
  const fileName = join(around, "backup.kv");
  await elsewhere.backup({ fileName });
  const report = await verifyLmdb(nodeEnv, fileName, { check: checkRows });
  expect(report.problems).toStrictEqual([]);
  for (const backend of ["memory", "wal", "disk"] as const) {
    const copy = openStore({
      backend,
      path: backend === "disk" ? fileName : join(around, backend),
    });
    if (backend !== "disk") await copy.restore({ fileName });
    await copy.append("mail", "X");
    expect([backend, await copy.range("jobs"), await copy.range("mail")]).toStrictEqual([
      backend,
      ["a", "b", "c"],
      ["X"],
    ]);
    await copy.close();
  }
});

test("who may only read opens the store elsewhere, and reads", async () => {
  const kv = openStore();
  await kv.setMany({ "user:1": { name: "Ann" }, "user:2": { name: "Bob" } });
  const users = [{ name: "reader", password: "secret", readOnly: true }];
  const server = await served(kv, { resp: { port: 0, users }, http: false, storeName: "read" });
  const { port } = server.address.resp ?? {};
  const valkey = { port: port as number, username: "reader", password: "secret" };
  const elsewhere = openStore({ backend: "valkey", name: "read", valkey });
  expect(await elsewhere.get("user:1")).toStrictEqual({ name: "Ann" });
  expect(await elsewhere.count({ prefix: "user:" })).toBe(2);
  expect(await elsewhere.randomKey({ prefix: "user:" })).toMatch(/^user:/);
  expect(await elsewhere.allocationStats()).toMatchObject({ total: 2 });
  const refused = { name: "ServerAccessError", message: expect.stringContaining("reader") };
  await expect(elsewhere.set("user:1", 1)).rejects.toMatchObject(refused);
  await expect(elsewhere.clear()).rejects.toMatchObject(refused);
  await expect(elsewhere.claimRandom()).rejects.toMatchObject(refused);
  await expect(elsewhere.popRandom()).rejects.toMatchObject(refused);
  expect(await kv.get("user:1")).toStrictEqual({ name: "Ann" });
  const client = clientOf(server, { username: "reader", password: "secret" });
  await expect(client.call("FUNCTION", "LOAD", "#!lua name=x")).rejects.toThrow("only the library");
  await expect(client.call("FCALL", "nothing", 0)).rejects.toThrow("ERR Function not found");
});

describeWith("a store on a server", lackOf("valkey"), () => {
  test("has the HTTP door, and no RESP door of ours", async () => {
    const server = await startServer({ kind: "valkey" });
    ends.push(() => server.stop());
    const url = `redis://127.0.0.1:${server.port}`;
    const kv = openStore({ backend: "valkey", valkey: { url } });
    for (const options of [{ resp: { port: 0 } }, { resp: { port: 0 }, http: { port: 0 } }]) {
      await expect(serve(kv, options)).rejects.toMatchObject({
        name: "InvalidOptionsError",
        message: expect.stringContaining('"valkey" has no RESP door'),
        hint: "let clients connect to that server, or serve the store over HTTP",
      });
    }
    const http = await served(kv, { resp: false, files: directory });
    await kv.set("a", 1);
    expect(await post(http, "get", { key: "a" })).toMatchObject({ body: { result: 1 } });
    expect(await post(http, "backup", { fileName: "a.kv" })).toMatchObject({ status: 200 });
    expect((await post(http, "fcall/get", { tag: "anykv:{:0}", args: ["a"] })).status).toBe(501);
  });
});

test("GET /metrics tells of both doors", async () => {
  const server = await served(openStore());
  const client = clientOf(server);
  await client.set("a", 1);
  await client.get("a");
  await client.get("b");
  await client.client("SETNAME", "c");
  await client.call("nothing").catch(() => {});
  const metrics = async (): Promise<string[]> =>
    (await (await fetch(`${server.address.http?.url}/metrics`)).text()).split("\n");
  const lines = await metrics();
  for (const line of [
    'anykv_resp_commands_total{command="set"} 1',
    'anykv_resp_commands_total{command="get"} 2',
    "anykv_resp_connections 1",
    "anykv_resp_connections_accepted_total 1",
    "anykv_resp_connections_rejected_total 0",
    "anykv_resp_blocked_connections 0",
    "anykv_http_connections 1",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.join()).toContain('anykv_resp_commands_total{command="client"}');
  expect(lines.join()).not.toContain("nothing");
  const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
  expect(new Set(names).size).toBe(names.length);
  await client.config("RESETSTAT");
  expect(await metrics()).not.toContain('anykv_resp_commands_total{command="get"} 2');
});
