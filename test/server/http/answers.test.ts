// Answers: what the door says to good and bad requests, by status, headers and JSON.

import { InvalidCursorError, UnknownError } from "anykv";
import { describe, expect, test } from "vitest";
import { openDoor, post, postText, RawClient } from "./doors.js";

describe("results", () => {
  test("stand in `result`; what is undefined is left out", async () => {
    const { client } = await openDoor();
    expect(await post(client, "find", { key: "a" })).toStrictEqual({ status: 200, body: {} });
    expect((await post(client, "ttl", { key: "a" })).body).toStrictEqual({});
    expect((await post(client, "report_stats")).body).toStrictEqual({});
    expect((await post(client, "set", { key: "a", value: null })).body).toStrictEqual({
      result: true,
    });
    expect((await post(client, "find", { key: "a" })).body).toStrictEqual({ result: null });
    expect((await post(client, "ttl", { key: "a" })).body).toStrictEqual({ result: null });
  });

  test("of a missing key are a 404 with the error", async () => {
    const { client } = await openDoor();
    expect(await post(client, "get", { key: "no" })).toStrictEqual({
      status: 404,
      body: {
        error: {
          name: "KeyNotFoundError",
          code: "ANYKV_KEY_NOT_FOUND",
          message: 'key not found: "no"',
          key: "no",
        },
      },
    });
  });

  test("say what they are and that nobody may keep them", async () => {
    const { client } = await openDoor();
    const { headers } = await client.send("POST", "/v1/size", "{}");
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": "12",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  test("of a store of bytes have base64 text for values, and so have requests", async () => {
    const { client, kv } = await openDoor({}, {}, { serialization: "bytes" });
    const value = Buffer.from([0, 255, 10]).toString("base64");
    expect((await post(client, "set", { key: "a", value })).body).toStrictEqual({ result: true });
    expect(await kv.get("a")).toStrictEqual(new Uint8Array([0, 255, 10]));
    expect((await post(client, "get", { key: "a" })).body).toStrictEqual({ result: value });
    const entries = { b: "AA==", c: "" };
    expect((await post(client, "set_many", { entries })).body).toStrictEqual({
      result: { written: 2 },
    });
    const listed = await post(client, "list", { prefix: "b" });
    expect(listed.body).toStrictEqual({ result: [{ key: "b", value: "AA==" }] });
    for (const bad of ["A", "AA=", "AAA", "A A=", "AA==\n", "a-_=", 1, true, {}, []]) {
      const refused = await post(client, "set", { key: "x", value: bad });
      expect([refused.status, refused.body.error.name]).toStrictEqual([422, "SerializerError"]);
    }
    const many = await post(client, "set_many", { entries: { ok: "AA==", bad: "A" } });
    expect(many.status).toBe(400);
    expect(many.body.error.errors).toMatchObject([{ key: "bad", name: "SerializerError" }]);
    expect(await kv.exists("ok")).toBe(false);
  });

  test("of a store of bytes may be as large as a body", async () => {
    const { client, kv } = await openDoor({}, {}, { serialization: "bytes" });
    const bytes = Buffer.alloc(8_388_608, 7);
    const value = bytes.toString("base64");
    const isKept = async (key: string): Promise<boolean> =>
      bytes.equals((await kv.get<Uint8Array>(key)) as Uint8Array);
    expect((await post(client, "set", { key: "a", value })).status).toBe(200);
    expect((await post(client, "set_many", { entries: { b: value } })).status).toBe(200);
    expect([await isKept("a"), await isKept("b")]).toStrictEqual([true, true]);
    // Items are short: what is refused is the length, not the text.
    const item = { base64: value };
    const { status, body } = await post(client, "filter_add", { bucket: "f", item });
    expect([status, body.error.name]).toStrictEqual([400, "InvalidOptionsError"]);
    expect(body.error.message).not.toMatch(/base64/);
    const broken = `${value.slice(0, -5)}!${value.slice(-4)}`;
    const refused = await post(client, "set", { key: "x", value: broken });
    expect([refused.status, refused.body.error.name]).toStrictEqual([422, "SerializerError"]);
  });

  test("are base64 as it was written: groups of four, with padding at the end alone", async () => {
    const { client, kv } = await openDoor({}, {}, { serialization: "bytes" });
    for (const bad of [
      "=",
      "==",
      "A==",
      "A===",
      "====",
      "AA=A",
      "=AAA",
      "AAAA=",
      "AAAA====",
      "AA==AAAA",
    ]) {
      expect([bad, (await post(client, "set", { key: "x", value: bad })).status]).toStrictEqual([
        bad,
        422,
      ]);
    }
    // The bits behind the last byte have never been looked at.
    for (const good of ["", "AAAA", "AB==", "AAB=", "+/+/"]) {
      expect((await post(client, "set", { key: "x", value: good })).status).toBe(200);
      expect(await kv.get("x")).toStrictEqual(new Uint8Array(Buffer.from(good, "base64")));
    }
  });

  test("of filters: items are text or bytes", async () => {
    const { client, kv } = await openDoor();
    const item = { base64: Buffer.from([255]).toString("base64") };
    expect((await post(client, "filter_add", { bucket: "b", item })).body.result).toBe(true);
    expect(await kv.filter("b").contains(new Uint8Array([255]))).toBe(true);
    const broken = await post(client, "filter_add", { bucket: "b", item: { base64: "!!" } });
    expect(broken.body.error).toMatchObject({ message: '"base64" of an item is no base64 text' });
    expect((await post(client, "filter_contains", { bucket: "b", item: "x" })).body.result).toBe(
      false,
    );
  });
});

describe("members of a body", () => {
  test("that are not known are refused, with those that are", async () => {
    const { client, kv } = await openDoor();
    const { status, body } = await post(client, "set", { key: "a", value: 1, tll: 5 });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      name: "InvalidOptionsError",
      message: 'argument "tll" of set is not known',
      hint: "known are claim, compress, keepTtl, key, ttl, value",
    });
    expect(await kv.exists("a")).toBe(false);
  });

  test("named __proto__ and constructor are members like others", async () => {
    const { client, kv } = await openDoor();
    const text = '{"key":"a","value":{"__proto__":{"x":1},"constructor":2}}';
    expect((await post(client, "set", text)).status).toBe(200);
    expect(JSON.stringify(await kv.get("a"))).toBe('{"__proto__":{"x":1},"constructor":2}');
    const many = '{"entries":{"__proto__":1,"constructor":2,"toString":3}}';
    expect((await post(client, "set_many", many)).body.result).toStrictEqual({ written: 3 });
    expect(await kv.get("__proto__")).toBe(1);
    for (const member of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await post(client, "get", `{"key":"a","${member}":{"x":1}}`)).status).toBe(400);
    }
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test("that are missing are refused", async () => {
    const { client } = await openDoor();
    expect((await post(client, "get")).body.error.name).toBe("InvalidOptionsError");
    const set = await post(client, "set", { key: "a" });
    expect(set.body.error.message).toBe('argument "value" of set must be given');
    expect((await post(client, "random_keys")).body.error.name).toBe("InvalidOptionsError");
    expect((await post(client, "filter_size")).body.error.name).toBe("InvalidOptionsError");
  });

  test("a claim that is null guards nothing away", async () => {
    const { client, kv } = await openDoor();
    expect((await post(client, "set", { key: "a", value: 1, claim: null })).status).toBe(400);
    expect(await kv.exists("a")).toBe(false);
  });
});

describe("bodies", () => {
  const bad: [title: string, body: string | Buffer, status: number][] = [
    ["an array", "[]", 400],
    ["a text", '"x"', 400],
    ["null", "null", 400],
    ["half an object", '{"key":', 400],
    ["two objects", "{}{}", 400],
    ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ["a byte order mark", "\ufeff{}", 400],
    ["501 levels", `{"value":${"[".repeat(500)}${"]".repeat(500)}}`, 400],
    ["deep and never closed", "[".repeat(100_000), 400],
    ["deep objects", '{"a":'.repeat(100_000), 400],
    ["larger than allowed", `{"key":"${"x".repeat(70_000)}"}`, 413],
  ];
  test.each(bad)("that are %s are refused", async (_title, body, status) => {
    const { client } = await openDoor({ bodyLimit: 65_536 });
    if (body.length > 65_536) status = 413;
    const answer = await client.send("POST", "/v1/get", body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.name).toBe("RequestRefusedError");
    expect((await post(client, "size")).status).toBe(200);
  });

  test("may be 500 levels deep, brackets in texts not counted", async () => {
    const { client } = await openDoor();
    const value = `${"[".repeat(499)}${"]".repeat(499)}`;
    expect((await post(client, "set", `{"key":"a","value":${value}}`)).status).toBe(200);
    const text = `{"key":"b","value":"${'[{\\"'.repeat(1_000)}"}`;
    expect((await post(client, "set", text)).status).toBe(200);
    const found = await client.send("POST", "/v1/get", '{"key":"a"}');
    expect(found.text).toBe(`{"result":${value}}`);
  });

  test("that are empty have no members", async () => {
    const { client } = await openDoor();
    expect((await post(client, "size", "")).body).toStrictEqual({ result: 0 });
  });

  test("too large in chunks are refused as well, and the connection goes on", async () => {
    const { door } = await openDoor({ bodyLimit: 1_000 });
    const raw = new RawClient(door);
    raw.send("POST /v1/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    raw.send(`Transfer-Encoding: chunked\r\n\r\n3e8\r\n${"x".repeat(1_000)}\r\n`);
    raw.send(`64\r\n${"x".repeat(100)}\r\n`);
    await raw.until(/^HTTP\/1.1 413 /);
    raw.send("0\r\n\r\n").send(postText("size", "{}"));
    await raw.until(/\{"result":0\}/);
  });

  test("without end are cut off", async () => {
    const { door } = await openDoor({ bodyLimit: 1_000 });
    const raw = new RawClient(door);
    raw.send("POST /v1/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    raw.send("Content-Length: 100000000\r\n\r\n");
    await raw.until(/ 413 /);
    const piece = "x".repeat(100_000);
    while (!raw.socket.destroyed && raw.socket.bytesWritten < 50_000_000) {
      await new Promise<void>((resolve) => {
        raw.socket.write(piece, () => resolve());
        void raw.closed.then(() => resolve());
      });
    }
    await raw.closed;
  });

  const types: [type: string | undefined, status: number][] = [
    ["application/json", 200],
    ["application/json; charset=utf-8", 200],
    ['Application/JSON;charset="UTF-8"', 200],
    ["application/json; charset=latin1", 415],
    ["text/plain", 415],
    ["text/plain; application/json", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=application/json", 415],
    ["application/jsonp", 415],
    ["", 415],
  ];
  test.each(types)("of the type %j: %j", async (type, status) => {
    const { client } = await openDoor();
    const headers = { "Content-Type": type ?? "" };
    const answer = await client.send("POST", "/v1/clear", "{}", { headers });
    expect(answer.status).toBe(status);
  });

  test("without a type, or compressed, are refused", async () => {
    const { client, kv } = await openDoor();
    await kv.set("a", 1);
    expect((await client.send("POST", "/v1/clear")).status).toBe(415);
    const packed = await post(client, "clear", "{}", { "Content-Encoding": "gzip" });
    expect(packed.status).toBe(415);
    expect(await kv.size()).toBe(1);
  });
});

describe("paths and methods", () => {
  test.each([
    "/",
    "/v1",
    "/v1/",
    "/v1/nothing",
    "/v1/get/",
    "//v1/get",
    "/v1/GET",
    "/v1/__proto__",
    "/constructor",
    "*",
    "/v1/%67et",
    "http://localhost/v1/get",
  ])("%s is nothing", async (path) => {
    const { door } = await openDoor();
    const raw = new RawClient(door);
    raw.send(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`);
    const text = await raw.until(/\}\}$/);
    expect(text).toMatch(/^HTTP\/1.1 404 /);
    expect(text).toContain('"name":"RequestRefusedError","code":"ANYKV_REQUEST_REFUSED"');
  });

  const methods: [method: string, path: string, status: number, allow?: string][] = [
    ["GET", "/v1/get", 405, "POST, OPTIONS"],
    ["HEAD", "/v1/get", 405, "POST, OPTIONS"],
    ["PUT", "/v1/get", 405, "POST, OPTIONS"],
    ["DELETE", "/healthz", 405, "GET, HEAD, OPTIONS"],
    ["POST", "/metrics", 405, "GET, HEAD, OPTIONS"],
    ["POST", "/v1/scan.ndjson", 405, "GET, HEAD, OPTIONS"],
    ["OPTIONS", "/v1/get", 204, "POST, OPTIONS"],
    ["OPTIONS", "/healthz", 204, "GET, HEAD, OPTIONS"],
    ["OPTIONS", "/nothing", 404],
    ["HEAD", "/healthz", 200],
    ["HEAD", "/openapi.json", 200],
    ["HEAD", "/v1/scan.ndjson", 200],
    ["HEAD", "/v1/export.jsonl", 200],
    ["HEAD", "/v1/export.csv?column=a", 422],
    ["HEAD", "/v1/stats/events", 200],
    ["HEAD", "/metrics", 200],
    ["GET", "/healthz?x=1", 200],
  ];
  test.each(methods)("%s %s is %i", async (method, path, status, allow) => {
    const { client, kv } = await openDoor();
    await kv.set("a", 1);
    const answer = await client.send(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(allow);
    if (method === "HEAD" || status === 204) expect(answer.text).toBe("");
  });

  test("parameters that are not known, or no numbers, are refused", async () => {
    const { client } = await openDoor();
    for (const query of ["prefx=a", "limit=x", "limit=1e9", "limit=", "__proto__=1"]) {
      expect((await client.send("GET", `/v1/scan.ndjson?${query}`)).status).toBe(400);
    }
    const nothing = await client.send("GET", "/v1/export.csv");
    expect(nothing.status).toBe(400);
    expect(nothing.text).toContain("is needed, once or more");
    for (const query of ["limit=1&limit=2", "prefix=%ff", "prefix=%"]) {
      expect((await client.send("GET", `/v1/scan.ndjson?${query}`)).status).toBe(400);
    }
    expect((await client.send("GET", "/v1/export.csv?column=a&column=b")).status).toBe(200);
    expect((await client.send("POST", "/v1/size?x=1", "{}")).text).toContain("there are none");
    expect((await client.send("GET", "/v1/stats/events?interval=1")).status).toBe(400);
  });
});

describe("errors", () => {
  test("that nobody has foreseen say nothing, and are told to the server", async () => {
    const told: unknown[] = [];
    const { client, kv } = await openDoor({}, { onError: (error) => told.push(error) });
    const failure = new Error("secret of /var/lib/secret");
    kv.size = () => Promise.reject(failure);
    const { status, body } = await post(client, "size");
    expect(status).toBe(500);
    expect(body.error).toStrictEqual({
      name: "UnknownError",
      code: "ANYKV_UNKNOWN",
      message: "the server failed to answer",
    });
    expect(told).toStrictEqual([failure]);
  });

  test("of the system do not name the places of the server", async () => {
    const { client, kv } = await openDoor();
    const hint = `look at ${process.cwd()}/data`;
    kv.size = () =>
      Promise.reject(new UnknownError("ENOENT: no such file, open '/var/lib/secret'", { hint }));
    const { body } = await post(client, "size");
    expect(body.error).toMatchObject({
      message: "ENOENT: no such file, open a file",
      hint: "look at data",
    });
  });

  test("that quote the caller quote all of it", async () => {
    const { client } = await openDoor();
    const key = `${process.cwd()}/'/x'`;
    const { body } = await post(client, "get", { key });
    expect(body.error.message).toBe(`key not found: ${JSON.stringify(key)}`);
    expect(new InvalidCursorError("").code).toBe("ANYKV_INVALID_CURSOR");
  });
});
