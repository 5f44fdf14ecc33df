// serve: which doors open where, to whom, and when they close.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { type Kv, openKv } from "anykv";
import { type KvServer, type RespOptions, type ServeOptions, serve } from "anykv/server";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lackOfOpenssl, makeCertificates } from "../remote/certificates.js";

let kv: Kv;
let stores = 0;
const servers: KvServer[] = [];

beforeEach(() => {
  kv = openKv({ backend: "memory", name: `served ${++stores}` });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await kv.close();
});

async function served(resp: RespOptions = {}): Promise<KvServer> {
  const server = await serve(kv, { resp: { port: 0, ...resp } });
  servers.push(server);
  return server;
}

/** What comes back on a connection until it is closed. */
function talk(place: { port: number } | { path: string }, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(place, () => socket.end(text));
    let got = "";
    socket.on("data", (chunk) => {
      got += String(chunk);
    });
    socket.on("close", () => resolve(got));
    socket.on("error", reject);
  });
}

function portOf({ address }: KvServer): number {
  return address.resp?.port as number;
}

describe("options", () => {
  const refused: [options: unknown, message: RegExp][] = [
    [{}, /no door to open/],
    [{ resp: false }, /no door to open/],
    [{ resp: false, http: false, files: "/" }, /no door to open/],
    [{ http: 1 }, /"http" must be an object of options/],
    [{ http: { prot: 1 } }, /"prot" is not known; did you mean "port"/],
    [{ http: { filesDirectory: "/" } }, /"http.filesDirectory" is `files` here/],
    [{ http: true, files: "/none/of/it" }, /"files" must be a directory that is there/],
    [{ http: true, files: "" }, /"files" must be the name of a directory/],
    [{ resp: { port: 0 }, prefix: "{a}" }, /"prefix" must be text without braces/],
    [{ resp: { port: 0 }, prefix: "" }, /"prefix" must be a non-empty string/],
    [{ resp: { port: 0 }, storeName: 1 }, /"storeName" must be a string/],
    [{ rasp: {} }, /"rasp" is not known; did you mean "resp"/],
    [{ resp: { prot: 1 } }, /"prot" is not known; did you mean "port"/],
    [{ resp: { port: 65_536 } }, /"resp.port" must be an integer from 0 to 65535/],
    [{ resp: { port: "6379" } }, /"resp.port"/],
    [{ resp: { path: "" } }, /"resp.path"/],
    [{ resp: { tls: true } }, /"resp.tls"/],
    [{ resp: { password: "" } }, /"resp.password" must be a non-empty string/],
    [{ resp: { users: {} } }, /"resp.users" must be an array/],
    [{ resp: { users: [{ name: "a b", password: "x" }] } }, /users\[0\].name/],
    [{ resp: { users: [{ name: "a" }] } }, /users\[0\].password/],
    [
      { resp: { users: [{ name: "a", password: "x", readonly: true }] } },
      /"readonly" is not known/,
    ],
    [{ resp: { password: "x", users: [{ name: "default", password: "y" }] } }, /there twice/],
    [{ resp: { clientsMax: 0 } }, /"resp.clientsMax"/],
    [{ resp: { argumentLimit: "1GiB" } }, /"resp.argumentLimit"/],
    [{ resp: { stallTimeout: 0 } }, /"resp.stallTimeout"/],
    [{ resp: { idleTimeout: "never" } }, /"resp.idleTimeout"/],
    [{ resp: { host: "0.0.0.0" } }, /without a password/],
    [{ resp: { host: "::" } }, /without a password/],
    [{ resp: { host: "192.168.1.1" } }, /without a password/],
    [{ resp: { host: "example.org" } }, /without a password/],
  ];
  test.each(refused)("%j is refused", async (options, message) => {
    await expect(serve(kv, options as ServeOptions)).rejects.toMatchObject({
      name: "InvalidOptionsError",
      message: expect.stringMatching(message),
    });
  });

  test("what is no handle is refused", async () => {
    await expect(serve({} as Kv, { resp: true })).rejects.toMatchObject({
      name: "InvalidOptionsError",
    });
  });

  test("passwords are not told", async () => {
    const users = [{ name: "default", password: "hunter2" }];
    const error = await serve(kv, { resp: { password: "hunter1", users } }).catch(String);
    expect(error).not.toMatch(/hunter/);
  });
});

describe("places", () => {
  test("loopback by default, at any free port if asked for", async () => {
    const server = await served();
    expect(server.address.resp).toEqual({
      host: "127.0.0.1",
      port: expect.any(Number),
      url: `redis://127.0.0.1:${portOf(server)}`,
    });
    expect(await talk({ port: portOf(server) }, "PING\r\n")).toBe("+PONG\r\n");
  });

  test("with a password every address", async () => {
    const server = await served({ host: "0.0.0.0", password: "x" });
    expect(await talk({ port: portOf(server) }, "PING\r\nAUTH x\r\nPING\r\n")).toBe(
      "-NOAUTH Authentication required.\r\n+OK\r\n+PONG\r\n",
    );
  });

  test("without one if the caller says that it is protected", async () => {
    const server = await served({ host: "0.0.0.0", protectedMode: false });
    expect(await talk({ port: portOf(server) }, "PING\r\n")).toBe("+PONG\r\n");
  });

  test("a port that is taken", async () => {
    const server = await served();
    await expect(serve(kv, { resp: { port: portOf(server) } })).rejects.toMatchObject({
      name: "ServerListenError",
    });
  });

  describe("a Unix socket", () => {
    let directory: string;
    let path: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), "anykv-serve-"));
      path = join(directory, "socket");
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    test("alone", async () => {
      const server = await serve(kv, { resp: { path } });
      expect(server.address.resp).toEqual({ path, url: `unix://${path}` });
      expect(await talk({ path }, "SET a 1\r\nGET a\r\n")).toBe("+OK\r\n$1\r\n1\r\n");
      await server.close();
      expect(existsSync(path)).toBe(false);
    });

    test("beside a port", async () => {
      const server = await served({ path });
      expect(await talk({ path }, "SET a 1\r\n")).toBe("+OK\r\n");
      expect(await talk({ port: portOf(server) }, "GET a\r\n")).toBe("$1\r\n1\r\n");
    });

    test("whatever else has its path stays", async () => {
      const refused = {
        name: "ServerListenError",
        message: `cannot listen on ${path}: it is taken (EADDRINUSE)`,
      };
      writeFileSync(path, "precious");
      await expect(serve(kv, { resp: { path } })).rejects.toMatchObject(refused);
      expect(readFileSync(path, "utf8")).toBe("precious");
      rmSync(path);
      mkdirSync(path);
      await expect(serve(kv, { resp: { path } })).rejects.toMatchObject(refused);
      rmdirSync(path);
      symlinkSync("nowhere", path);
      await expect(serve(kv, { resp: { path } })).rejects.toMatchObject(refused);
    });

    test("one whose process was killed gives way", async () => {
      const listening = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
      spawnSync(process.execPath, ["-e", listening]);
      expect(existsSync(path)).toBe(true);
      await served({ path });
      expect(await talk({ path }, "PING\r\n")).toBe("+PONG\r\n");
    });

    test("one that somebody listens on stays", async () => {
      const other = createServer(() => {});
      await new Promise<void>((resolve) => other.listen(path, resolve));
      await expect(serve(kv, { resp: { path } })).rejects.toMatchObject({
        name: "ServerListenError",
      });
      expect(existsSync(path)).toBe(true);
      other.close();
    });
  });

  test("TLS with what is no certificate is refused before a door opens", async () => {
    const refused = (option: string, text: string) => ({
      name: "InvalidOptionsError",
      message: expect.stringContaining(`option "${option}" ${text}`),
    });
    const broken = { cert: "no certificate", key: "no key" };
    await expect(serve(kv, { resp: { port: 0, tls: broken } })).rejects.toMatchObject(
      refused("resp.tls", "cannot be used: PEM routines::no start line"),
    );
    await expect(serve(kv, { http: { port: 0, tls: broken } })).rejects.toMatchObject(
      refused("http.tls", "cannot be used"),
    );
    await expect(serve(kv, { http: { port: 0, tls: { ca: [] } } })).rejects.toMatchObject(
      refused("http.tls", "needs `cert` and `key`"),
    );
  });

  test.skipIf(lackOfOpenssl() !== undefined)("TLS", async () => {
    const certificates = makeCertificates();
    const { ca, cert, key } = certificates;
    const server = await served({ tls: { cert, key } });
    expect(server.address.resp?.url).toMatch(/^rediss:/);
    const port = portOf(server);
    const text = await new Promise<string>((resolve, reject) => {
      const options = { port, host: "127.0.0.1", ca, servername: "localhost" };
      const socket = connectTls({ ...options, checkServerIdentity: () => undefined }, () => {
        socket.write("SET a 1\r\nGET a\r\nQUIT\r\n");
      });
      let got = "";
      socket.on("data", (chunk) => {
        got += String(chunk);
      });
      socket.on("close", () => resolve(got));
      socket.on("error", reject);
    });
    expect(text).toBe("+OK\r\n$1\r\n1\r\n+OK\r\n");
    // Who speaks no TLS harms nobody.
    await talk({ port }, "PING\r\n").catch(() => {});
    expect(await kv.get("a")).toBe("1");
    certificates.remove();
  });
});

describe("the end", () => {
  test("closing is idempotent, and leaves the store open", async () => {
    const server = await served();
    const port = portOf(server);
    await Promise.all([server.close(), server.close()]);
    await expect(talk({ port }, "PING\r\n")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await kv.set("a", 1);
    expect(await kv.get("a")).toBe(1);
  });

  test("a server is disposed of where its block ends", async () => {
    let port = 0;
    {
      await using server = await serve(kv, { resp: { port: 0 } });
      port = portOf(server);
      expect(await talk({ port }, "PING\r\n")).toBe("+PONG\r\n");
    }
    await expect(talk({ port }, "PING\r\n")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("closing the handle closes the doors, and then the store", async () => {
    const server = await served();
    const client = new Redis({ port: portOf(server), retryStrategy: () => null });
    await client.set("a", "1");
    const ended = new Promise((resolve) => client.once("end", resolve));
    await kv.close();
    await ended;
    await expect(talk({ port: portOf(server) }, "PING\r\n")).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });

  test("a handle that is closed has no doors", async () => {
    await kv.close();
    await expect(serve(kv, { resp: { port: 0 } })).rejects.toMatchObject({
      name: "StoreClosedError",
    });
  });
});

test("a client library: pipelines, transactions, messages, waits", async () => {
  const server = await served({ users: [{ name: "me", password: "p" }] });
  const options = { port: portOf(server), username: "me", password: "p" };
  const [client, other] = [new Redis(options), new Redis(options)];
  const results = await client.pipeline().set("n", 1).incr("n").get("n").lpush("n", 1).exec();
  expect(results?.map(([error, value]) => error?.message ?? value)).toEqual([
    "OK",
    2,
    "2",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
  ]);
  expect(await client.multi().incr("n").get("n").exec()).toEqual([
    [null, 3],
    [null, "3"],
  ]);
  const waiting = client.blpop("q", 0);
  await other.rpush("q", "é€");
  expect(await waiting).toEqual(["q", "é€"]);
  const heard = new Promise((resolve) => {
    client.on("message", (channel, message) => resolve([channel, message]));
  });
  await client.subscribe("news");
  expect(await other.publish("news", "now")).toBe(1);
  expect(await heard).toEqual(["news", "now"]);
  expect(await kv.get("n")).toBe(3);
  client.disconnect();
  other.disconnect();
});
