// anykv serve in processes of its own: what it prints, who gets in, how it ends, and what is left when
// it is killed.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { openKv } from "anykv";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openServed } from "../../src/cli/serve/served-store.js";
import { processTerminal } from "../../src/cli/terminal.js";
import { nodeEnv } from "../../src/env/env.js";
import { Handle } from "../../src/kv/handle.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { lackOfOpenssl, makeCertificates } from "../remote/certificates.js";
import { type Ended, type Program, startProgram } from "./serve-process.js";

let compiled: CompiledPackage;
let directory = "";
const started: Program[] = [];
const clients: Redis[] = [];

beforeAll(async () => {
  compiled = await compilePackage();
}, 60_000);
afterAll(() => compiled.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-serve-"));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const { child, ended } of started.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

const path = (name: string): string => join(directory, name);

function start(args: readonly string[], env?: Record<string, string>): Program {
  const program = startProgram(compiled, ["serve", ...args], env);
  started.push(program);
  return program;
}

interface Who {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly ca: string; readonly host: string };
}

interface Served {
  readonly program: Program;
  readonly told: {
    readonly pid: number;
    readonly store: { readonly backend: string; readonly address: string; readonly name?: string };
    readonly resp?: { readonly port?: number; readonly path?: string; readonly url: string };
    readonly http?: { readonly port: number; readonly url: string };
  };
  client(options?: Who): Redis;
}

async function serving(args: readonly string[], env?: Record<string, string>): Promise<Served> {
  const program = start(["--json", "--port", "0", ...args], env);
  const told = JSON.parse(await program.firstLine);
  return {
    program,
    told,
    client: (options = {}) => {
      const client = new Redis(told.resp?.port ?? 0, "127.0.0.1", {
        ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, ...options },
      });
      client.on("error", () => {});
      clients.push(client);
      return client;
    },
  };
}

function refused(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  return start(args, env).ended;
}

describe("it serves", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "until %s: code 0, and the store is closed",
    async (signal) => {
      const { program, told, client } = await serving([path("kv"), "--backend", "wal"]);
      expect(told).toMatchObject({ pid: program.child.pid, store: { backend: "wal" } });
      const one = client();
      await one.set("a", "1");
      const waiting = one.blpop("queue", 0).catch((error: Error) => error.message);
      await client().ping();
      program.child.kill(signal);
      const ended = await program.ended;
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(ended.error).toBe("anykv: closing\n");
      expect(typeof (await waiting)).not.toBe("undefined");
      await using kv = openKv({ name: `after ${signal}`, backend: "wal", path: path("kv") });
      expect(await kv.get("a")).toBe("1");
    },
  );

  test.each(["SIGTERM", "SIGINT"] as const)(
    "a second %s ends it at once: code 130, and a message",
    async (signal) => {
      const { program, told, client } = await serving(["--close-timeout", "1h"]);
      await client().set("large", "x".repeat(2 ** 20));
      // Somebody who asks for more than the buffers between the two hold, and reads nothing.
      const idler = connect(told.resp?.port as number, "127.0.0.1");
      await once(idler, "connect");
      await new Promise((resolve) => idler.write("GET large\r\n".repeat(100), resolve));
      const other = client();
      const hasBacklog = async () => / omem=[1-9]/.test(String(await other.call("CLIENT", "LIST")));
      while (!(await hasBacklog()));
      program.child.kill(signal);
      await once(program.child.stderr as Readable, "data");
      program.child.kill(signal);
      expect(await program.ended).toMatchObject({
        ...{ code: 130, signal: null },
        error: `anykv: closing\nanykv: ended by a second ${signal}, before it was done\n`,
      });
      idler.destroy();
    },
  );

  test("in memory, in words", async () => {
    const program = start(["--port", "0", "--http-port", "0"]);
    expect(await program.firstLine).toBe(`serving memory, process ${program.child.pid}`);
    program.child.kill("SIGTERM");
    expect((await program.ended).out).toMatch(
      /^ {2}RESP redis:\/\/127\.0\.0\.1:\d+\n {2}HTTP http:\/\/127\.0\.0\.1:\d+\n$/m,
    );
  });

  test("on a socket alone, and both doors have one store", async () => {
    const program = start(["--json", "--socket", path("s"), "--http-port", "0"]);
    const { resp, http } = JSON.parse(await program.firstLine);
    expect(resp).toStrictEqual({ path: path("s"), url: `unix://${path("s")}` });
    const client = new Redis({ path: path("s"), retryStrategy: () => null });
    clients.push(client);
    await client.set("a", "b");
    const body = JSON.stringify({ key: "a" });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${http.url}/v1/get`, { method: "POST", body, headers });
    expect(await answer.json()).toStrictEqual({ result: "b" });
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
    expect(existsSync(path("s"))).toBe(false);
  });

  test.each([
    ["disk", () => [path("kv"), "--backend", "disk"]],
    ["wal", () => [path("kv"), "--backend", "wal"]],
    ["shared", () => ["--backend", "shared", "--name", `serve ${process.pid}`]],
  ] as const)("%s, by both doors", async (backend, args) => {
    const { told, client, program } = await serving([...args(), "--http-port", "0"]);
    expect(told.store.backend).toBe(backend);
    const one = client();
    await one.set("a", "b");
    await one.rpush("list", "x", "y");
    expect(await one.multi().incr("n").hset("h", "f", "1").exec()).toEqual([
      [null, 1],
      [null, 1],
    ]);
    const waiting = client().blpop("queue", 0);
    const ask = async (operation: string, body: object): Promise<unknown> => {
      const headers = { "Content-Type": "application/json" };
      const asked = { method: "POST", headers, body: JSON.stringify(body) };
      return (await fetch(`${told.http?.url}/v1/${operation}`, asked)).json();
    };
    expect(await ask("get", { key: "a" })).toEqual({ result: "b" });
    expect(await ask("range", { key: "list" })).toEqual({ result: ["x", "y"] });
    expect(await ask("increment_by", { key: "n", delta: 41 })).toEqual({ result: 42 });
    expect(await ask("append", { key: "queue", value: "job" })).toEqual({ result: 1 });
    expect(await waiting).toEqual(["queue", "job"]);
    program.child.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, error: "anykv: closing\n" });
  });

  test("a store of a configuration, under its name", async () => {
    writeFileSync(
      path("kv.yml"),
      `anykv:
  stores:
    one: { backend: wal, path: ${path("one")} }
    two: { backend: disk, path: ${path("two")}, serialization: string }
`,
    );
    const { told } = await serving(["--config", path("kv.yml"), "--store", "two"]);
    expect(told.store).toMatchObject({ backend: "disk", address: path("two"), name: "two" });
    await using kv = openKv({
      ...{ name: "two", backend: "valkey", serialization: "string" },
      valkey: { url: told.resp?.url },
    });
    await kv.set("a", "b");
    expect(existsSync(path("one"))).toBe(false);
    const { code, error } = await refused(["--config", path("kv.yml")]);
    expect(code).toBe(2);
    expect(error).toContain("choose with --store; there are: one, two");
  });

  test("a store on a server through HTTP, which has a RESP door itself", async () => {
    const behind = await serving([]);
    const url = behind.told.resp?.url as string;
    const before = start(["--json", url, "--no-resp", "--http-port", "0"]);
    const { http, store } = JSON.parse(await before.firstLine);
    expect(store).toMatchObject({ backend: "valkey", address: url });
    const body = JSON.stringify({ key: "a", value: 1 });
    const headers = { "Content-Type": "application/json" };
    await fetch(`${http.url}/v1/set`, { method: "POST", body, headers });
    expect(await behind.client().get("a")).toBe("1");
    const { code, error } = await refused([url, "--port", "0"]);
    expect(code).toBe(2);
    expect(error).toContain('a store with the backend "valkey" has no RESP door');
  });

  test.skipIf(lackOfOpenssl() !== undefined)("over TLS", async () => {
    const certificates = makeCertificates();
    try {
      const [, cert = "", , key = ""] = certificates.serverArgs;
      const { told, client } = await serving(["--tls-cert", cert, "--tls-key", key]);
      expect(told.resp?.url).toMatch(/^rediss:/);
      expect(await client({ tls: { ca: certificates.ca, host: "127.0.0.1" } }).ping()).toBe("PONG");
    } finally {
      certificates.remove();
    }
  });
});

describe("who gets in", () => {
  test("the password of the environment", async () => {
    const { client } = await serving([], { ANYKV_PASSWORD: "sesame" });
    await expect(client().get("a")).rejects.toThrow(/NOAUTH/);
    expect(await client({ password: "sesame" }).get("a")).toBeNull();
  });

  test("users and tokens of files", async () => {
    writeFileSync(path("password"), "sesame\n");
    writeFileSync(path("users"), "# who\nann secret1\n\nbob secret2 read-only\r\n");
    writeFileSync(path("tokens"), "token-0123456789 read-only\n");
    const secrets = ["--password-file", path("password"), "--users-file", path("users")];
    const doors = ["--http-port", "0", "--tokens-file", path("tokens")];
    const { told, client } = await serving([...secrets, ...doors]);
    expect(await client({ password: "sesame" }).set("a", "1")).toBe("OK");
    expect(await client({ username: "ann", password: "secret1" }).set("a", "2")).toBe("OK");
    const bob = client({ username: "bob", password: "secret2" });
    expect(await bob.get("a")).toBe("2");
    await expect(bob.set("a", "3")).rejects.toThrow(/NOPERM/);
    const ask = (operation: string, token?: string) =>
      fetch(`${told.http?.url}/v1/${operation}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
      });
    expect((await ask("size")).status).toBe(401);
    expect((await ask("size", "token-0123456789")).status).toBe(200);
    expect((await ask("clear", "token-0123456789")).status).toBe(403);
  });

  test("a password in the arguments works, with a warning", async () => {
    const { program, client } = await serving(["--password", "sesame"]);
    expect(await client({ password: "sesame" }).ping()).toBe("PONG");
    program.child.kill("SIGTERM");
    const { error } = await program.ended;
    expect(error).toContain("warning: a password in an argument is seen");
    expect(error).not.toContain("sesame");
  });
});

describe("it refuses, and makes no store", () => {
  const wrong: [args: string[], code: number, message: RegExp][] = [
    [["--host", "0.0.0.0"], 2, /without a password the RESP door does not listen on 0\.0\.0\.0/],
    [["--http-host", "::"], 2, /without a token the HTTP door does not listen on ::/],
    [["--port", "65536"], 2, /It must be an integer from 0 to 65535/],
    [["--prot", "1"], 2, /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [["--backend", "valkey"], 2, /Allowed choices are memory, wal, disk, shared/],
    [["--no-resp"], 2, /there is no door/],
    [["--no-resp", "--port", "1"], 2, /--no-resp and --port contradict/],
    [["--tls-cert", "none"], 2, /--tls-cert and --tls-key belong together/],
    [["--tls-cert", "none", "--tls-key", "none"], 2, /--tls-cert cannot be read: none \(ENOENT\)/],
    [["--password-file", "none"], 2, /--password-file cannot be read/],
    [["--files-directory", "none"], 2, /--files-directory must be a directory/],
    [["--store", "x"], 2, /--store chooses from the stores of a --config/],
    [["--config", "none.yml"], 2, /give no STORE/],
  ];
  test.each(wrong)("%j", async (args, code, message) => {
    const ended = await refused([path("kv"), ...args]);
    expect(ended.error).toMatch(message);
    expect(ended).toMatchObject({ code, out: "" });
    expect(existsSync(path("kv"))).toBe(false);
  });

  test.each([
    ["users", "ann\n", /users:1: must be a name and a password/],
    ["users", "ann secret readonly\n", /users:1: the last word may be read-only/],
    ["users", "# nobody\n", /has no line/],
    ["password", "\nsecret\n", /its first line is no password/],
  ])("a file of %s that says %j, without a secret in the message", async (kind, text, message) => {
    writeFileSync(path(kind), text);
    const { code, error } = await refused([`--${kind}-file`, path(kind)]);
    expect({ code, error }).toStrictEqual({ code: 2, error: expect.stringMatching(message) });
    expect(error).not.toContain("secret");
  });

  test("a port that somebody has: 3, with JSON on demand", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const ended = await refused(["--json", "--port", `${port}`]);
    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.out).error.message).toContain("is taken (EADDRINUSE)");
    await new Promise((resolve) => other.close(resolve));
  });

  test("a store that another process serves: 3, and it is not disturbed", async () => {
    const { client } = await serving([path("kv"), "--backend", "wal"]);
    const ended = await refused([path("kv"), "--port", "0"]);
    expect(ended).toMatchObject({ code: 3, error: expect.stringContaining("in use by process") });
    expect(await client().set("a", "1")).toBe("OK");
  });
});

test.each([
  [undefined, "power cut"],
  [true, "power cut"],
  [false, "process exit"],
])(
  "a wal store with syncWrites %s keeps what was acknowledged through a %s",
  async (given, durability) => {
    const flags = { backend: "wal", ...(given === undefined ? {} : { syncWrites: given }) };
    const { kv, close } = await openServed(processTerminal(nodeEnv), path("kv"), flags);
    expect((await Handle.served(kv)).store.capabilities.durability).toBe(durability);
    await close();
  },
);

test("killed in the middle: what was acknowledged is there, and it serves again", async () => {
  const args = [path("kv"), "--backend", "wal"];
  const { program, client } = await serving(args);
  const one = client();
  let acknowledged = 0;
  const writing = (async () => {
    for (let number = 0; ; number++) {
      await one.set(`k${number}`, `${number}`);
      acknowledged = number + 1;
      if (acknowledged === 200) program.child.kill("SIGKILL");
    }
  })();
  await expect(writing).rejects.toThrow();
  expect(await program.ended).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(acknowledged).toBeGreaterThanOrEqual(200);

  const again = await serving([path("kv")]);
  expect(again.told.store.backend).toBe("wal");
  const reader = again.client();
  for (let number = 0; number < acknowledged; number++) {
    expect(await reader.get(`k${number}`)).toBe(`${number}`);
  }
  again.program.child.kill("SIGTERM");
  expect((await again.program.ended).code).toBe(0);
});

test("whoever has read enough ends a scan", async () => {
  const { told } = await serving([]);
  const url = told.resp?.url as string;
  const lines = Array.from({ length: 20_000 }, (_, n) => `{"key":"k${n}","value":"${n}"}`);
  writeFileSync(path("all.jsonl"), lines.join("\n"));
  const main = join(compiled.directory, "dist/cli/main.js");
  execFileSync(process.execPath, [main, "import", url, path("all.jsonl")]);
  const pipeline = 'set -o pipefail; "$0" "$@" | head -n 1; echo $?';
  const words = ["-c", pipeline, process.execPath, main, "scan", "--keys", url];
  expect(execFileSync("bash", words, { encoding: "utf8" })).toBe("k0\n0\n");
});
