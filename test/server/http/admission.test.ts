// Admission: tokens, addresses, names of hosts and origins.

import { request as httpsRequest } from "node:https";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import type { ServedFunctions } from "../../../src/server/http/function-calls.js";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import { isLoopback } from "../../../src/server/http/http-options.js";
import { httpOperations } from "../../../src/server/http/operation-table.js";
import { lackOfOpenssl, makeCertificates } from "../../remote/certificates.js";
import { openDoor, post, RawClient } from "./doors.js";
import { HttpClient } from "./http-client.js";

const full = "full-token-0123456789";
const reader = "read-token-0123456789";
const tokens = [full, { token: reader, readOnly: true }];
const paths = ["/v1/scan.ndjson", "/v1/stats/events", "/metrics", "/openapi.json", "/nothing"];

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe("tokens", () => {
  test("without one nothing is answered but /healthz", async () => {
    const { client, kv } = await openDoor({ tokens });
    for (const { name } of httpOperations) {
      const { status, body } = await post(client, name, { key: "a", value: 1, bucket: "b" });
      expect([name, status, body.error.name]).toStrictEqual([name, 401, "RequestRefusedError"]);
    }
    for (const path of paths) {
      const answer = await client.send("GET", path);
      expect([path, answer.status]).toStrictEqual([path, 401]);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="anykv"');
    }
    expect((await client.send("POST", "/v1/fcall/get", "{}")).status).toBe(401);
    expect((await client.send("GET", "/healthz")).status).toBe(200);
    expect(await kv.size()).toBe(0);
  });

  const wrong: [title: string, header: string][] = [
    ["another", "Bearer wrong-token-0123456789"],
    ["a beginning", `Bearer ${full.slice(0, -1)}`],
    ["more", `Bearer ${full}x`],
    ["two at once", `Bearer ${full} ${reader}`],
    ["another scheme", `Basic ${full}`],
    ["no scheme", full],
    ["nothing", ""],
    ["nothing behind the scheme", "Bearer "],
    ["other letters", `Bearer ${full.toUpperCase()}`],
    ["a very long one", `Bearer ${"x".repeat(8_000)}`],
  ];
  test.each(wrong)("%s is refused", async (_title, Authorization) => {
    const { client } = await openDoor({ tokens });
    const { status, body } = await post(client, "size", {}, { Authorization });
    expect(status).toBe(401);
    expect(JSON.stringify(body)).not.toContain(full);
  });

  test("that are known are taken, whatever the letters of the scheme", async () => {
    const { client } = await openDoor({ tokens });
    for (const Authorization of [`Bearer ${full}`, `bearer ${full}`, `BEARER   ${full} `]) {
      expect((await post(client, "size", {}, { Authorization })).status).toBe(200);
    }
  });

  test("that may only read are held to it by the table", async () => {
    const { client, kv } = await openDoor({ tokens });
    await kv.set("a", 1);
    for (const { name, access } of httpOperations) {
      const { status } = await post(client, name, { key: "a", bucket: "b" }, bearer(reader));
      if (access === "write") expect([name, status]).toStrictEqual([name, 403]);
      else expect([name, status]).not.toStrictEqual([name, 403]);
    }
    expect(await kv.get("a")).toBe(1);
    for (const path of ["/v1/scan.ndjson", "/metrics", "/openapi.json"]) {
      expect((await client.send("GET", path, undefined, { headers: bearer(reader) })).status).toBe(
        200,
      );
    }
  });

  test("hold for functions, too", async () => {
    const called: string[] = [];
    const functions: ServedFunctions = {
      natureOf: (name) => (["version", "get", "scan", "reap"].includes(name) ? "read" : "write"),
      call: ({ operation }) => {
        called.push(operation);
        return 1;
      },
    };
    const { client } = await openDoor({ tokens }, { functions });
    const body = { tag: "anykv:{x:0}", args: [] };
    for (const operation of ["version", "open", "get", "scan", "reap"]) {
      expect((await post(client, `fcall/${operation}`, body, bearer(reader))).status).toBe(200);
    }
    for (const operation of ["set", "delete", "clear", "once", "load_begin", "claim_random"]) {
      expect((await post(client, `fcall/${operation}`, body, bearer(reader))).status).toBe(403);
    }
    expect(called).toStrictEqual(["version", "open", "get", "scan", "reap"]);
  });

  test.each(["short", "with space 0123", "", 'quo"te-0123456', "ümlaut-0123456"])(
    "such as %j are refused when the door is opened, and not repeated",
    async (token) => {
      const { kv } = await openDoor();
      const opening = openHttpDoor(kv, { port: 0, tokens: [token] });
      await expect(opening).rejects.toMatchObject({ name: "InvalidOptionsError" });
      if (token !== "") await expect(opening).rejects.not.toThrow(token);
    },
  );
});

describe("addresses", () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;

  test("of this machine are told apart from others", () => {
    for (const own of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
      expect([own, isLoopback(own)]).toStrictEqual([own, true]);
    }
    for (const other of [
      "10.0.0.1",
      "128.0.0.1",
      "::2",
      "::ffff:10.0.0.1",
      "",
      undefined,
      "127.x",
    ]) {
      expect([other, isLoopback(other)]).toStrictEqual([other, false]);
    }
  });

  test.runIf(outside !== undefined)("from outside are refused without tokens", async () => {
    const { door, kv } = await openDoor({ host: "0.0.0.0" });
    await kv.set("a", 1);
    const { port } = door.address;
    const far = new HttpClient({ url: `http://${outside}:${port}`, serialization: "json" });
    const near = new HttpClient({ url: `http://127.0.0.1:${port}`, serialization: "json" });
    const { status, body } = await post(far, "get", { key: "a" });
    expect([status, body.error.code]).toStrictEqual([403, "ANYKV_REQUEST_REFUSED"]);
    expect(body.error.hint).toContain("tokens");
    expect((await far.send("GET", "/healthz")).status).toBe(403);
    expect((await post(near, "get", { key: "a" })).status).toBe(200);
    await Promise.all([far.close(), near.close()]);
  });

  test.runIf(outside !== undefined)(
    "from outside are taken with a token, or unprotected",
    async () => {
      for (const options of [{ tokens }, { protectedMode: false }]) {
        const { door } = await openDoor({ host: "0.0.0.0", ...options });
        const url = `http://${outside}:${door.address.port}`;
        const far = new HttpClient({ url, serialization: "json", token: full });
        expect((await post(far, "size")).status).toBe(200);
        await far.close();
      }
    },
  );

  test("the default is the loopback", async () => {
    const { door } = await openDoor();
    expect(door.address.host).toBe("127.0.0.1");
    expect(door.address.url).toBe(`http://127.0.0.1:${door.address.port}`);
  });
});

describe("names of the host", () => {
  const own = [
    "localhost",
    "LOCALHOST:80",
    "127.0.0.1:6381",
    "[::1]:6381",
    "[::1]",
    "10.1.2.3",
    "my.host:1",
  ];
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example:80",
    "x",
    "my.host.evil",
    "[::1",
    "localhost:x",
    "127.0.0.1@evil.example",
    "evil.example:127.0.0.1",
  ];

  test("that are ours are taken, others refused", async () => {
    const { client } = await openDoor({ allowedHosts: ["My.Host"] });
    for (const Host of own) {
      expect([Host, (await post(client, "size", {}, { Host })).status]).toStrictEqual([Host, 200]);
    }
    for (const Host of foreign) {
      const { status } = await post(client, "size", {}, { Host });
      expect([Host, status]).toStrictEqual([Host, 421]);
      expect((await post(client, "size", {}, { Host: "localhost" })).status).toBe(200);
    }
  });

  test("do not matter where a token is needed", async () => {
    const { client } = await openDoor({ tokens });
    const headers = { ...bearer(full), Host: "evil.example" };
    expect((await post(client, "size", {}, headers)).status).toBe(200);
  });

  test("are needed", async () => {
    const { door } = await openDoor();
    const raw = new RawClient(door).send("GET /healthz HTTP/1.1\r\n\r\n");
    expect(await raw.until(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 400 /);
    const old = new RawClient(door).send("GET /healthz HTTP/1.0\r\n\r\n");
    expect(await old.until(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 421 /);
  });
});

describe("origins", () => {
  const page = "https://page.example";

  test("are refused unless they are named, before anything happens", async () => {
    const { client, kv } = await openDoor();
    await kv.set("a", 1);
    for (const Origin of [page, "null", "http://localhost:1", "http://127.0.0.1"]) {
      const { status } = await post(client, "clear", {}, { Origin });
      expect([Origin, status]).toStrictEqual([Origin, 403]);
    }
    const seeker = { "Sec-Fetch-Site": "cross-site" };
    expect(
      (await client.send("GET", "/v1/stats/events", undefined, { headers: seeker })).status,
    ).toBe(403);
    expect(await kv.size()).toBe(1);
  });

  test("of the door itself are taken", async () => {
    const { client, door } = await openDoor();
    const Origin = door.address.url;
    expect((await post(client, "size", {}, { Origin })).status).toBe(200);
  });

  test("that are named may ask before and read the answer", async () => {
    const { client } = await openDoor({ cors: { origins: [page] }, tokens });
    const asked = await client.send("OPTIONS", "/v1/get", undefined, {
      headers: { Origin: page, "Access-Control-Request-Method": "POST" },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": page,
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": "Authorization, Content-Type",
      vary: "Origin",
    });
    const sizing = await client.send("POST", "/v1/size", "{}", {
      headers: { Origin: page, ...bearer(full) },
    });
    expect(sizing.status).toBe(200);
    expect(sizing.headers["access-control-allow-origin"]).toBe(page);
    expect(sizing.headers["access-control-allow-credentials"]).toBeUndefined();
    const other = { Origin: "https://other.example", "Access-Control-Request-Method": "POST" };
    const refused = await client.send("OPTIONS", "/v1/get", undefined, { headers: other });
    expect(refused.status).toBe(403);
    expect(refused.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test.each(["*", "page.example", "https://page.example/", "https://page.example/path", ""])(
    "such as %j are refused when the door is opened",
    async (origin) => {
      const { kv } = await openDoor();
      const opening = openHttpDoor(kv, { port: 0, cors: { origins: [origin] } });
      await expect(opening).rejects.toMatchObject({ name: "InvalidOptionsError" });
    },
  );
});

test.skipIf(lackOfOpenssl() !== undefined)(
  "with certificates the door speaks HTTPS, and nothing else",
  async () => {
    const { ca, cert, key, remove } = makeCertificates();
    remove();
    const { door, kv } = await openDoor({ tls: { cert, key }, tokens });
    await kv.set("a", 1);
    expect(door.address.url).toMatch(/^https:/);
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { ...bearer(full), "Content-Type": "application/json" };
      const options = { method: "POST", ca, headers, agent: false } as const;
      const sent = httpsRequest(`${door.address.url}/v1/get`, options, (response) => {
        response.setEncoding("utf8").on("data", resolve);
      });
      sent.on("error", reject).end('{"key":"a"}');
    });
    expect(answer).toBe('{"result":1}');
    const plain = new RawClient(door).send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await plain.closed;
    expect(plain.text).not.toContain("200 OK");
  },
);

test.skipIf(lackOfOpenssl() !== undefined)(
  "with certificates, who says nothing is cut off, and closing waits for nobody",
  async () => {
    const { cert, key, remove } = makeCertificates();
    remove();
    const { door } = await openDoor({ tls: { cert, key }, headerTimeout: 100, closeTimeout: 200 });
    const silent = [new RawClient(door), new RawClient(door)];
    await Promise.all(silent.map(({ closed }) => closed));
    const late = new RawClient(door);
    await Promise.all([door.close(), late.closed]);
  },
);
