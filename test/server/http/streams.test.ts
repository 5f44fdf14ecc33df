// Streams: scans and exports as lines, events, and metrics.

import { request, ServerResponse } from "node:http";
import { UnknownError } from "anykv";
import { virtualEnv } from "anykv/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Env } from "../../../src/env/env.js";
import { nodeEnv } from "../../../src/env/env.js";
import { Handle } from "../../../src/kv/handle.js";
import { numberedEntries } from "../../../src/testing/suite/suite-case.js";
import { type OpenDoor, openDoor, RawClient } from "./doors.js";

const linesOf = (text: string): any[] =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

describe("scan.ndjson", () => {
  test("has every entry of the prefix once, in order, over many pages", async () => {
    const { client, kv } = await openDoor();
    await kv.setMany({ ...numberedEntries("k", 12_345), "a&b": { x: [null, "\n"] }, z: "é😀" });
    const all = await client.send("GET", "/v1/scan.ndjson");
    expect(all.headers["content-type"]).toBe("application/x-ndjson");
    expect(linesOf(all.text)).toStrictEqual(await kv.list());
    const some = await client.send("GET", "/v1/scan.ndjson?prefix=k000&limit=7");
    expect(linesOf(some.text)).toStrictEqual(await kv.list({ prefix: "k000", limit: 7 }));
    expect(linesOf((await client.send("GET", "/v1/scan.ndjson?prefix=a%26b")).text)).toHaveLength(
      1,
    );
    expect((await client.send("GET", "/v1/scan.ndjson?prefix=none")).text).toBe("");
    for (const limit of [1, 99, 100, 101, 12_347, 50_000]) {
      const { text } = await client.send("GET", `/v1/scan.ndjson?limit=${limit}`);
      expect(linesOf(text)).toHaveLength(Math.min(limit, 12_347));
    }
  });

  test("has base64 text for values of a store of bytes", async () => {
    const { client, kv } = await openDoor({}, {}, { serialization: "bytes" });
    await kv.set("a", new Uint8Array([255]));
    expect((await client.send("GET", "/v1/scan.ndjson")).text).toBe('{"key":"a","value":"/w=="}\n');
  });

  test("that fails at once has a status, later a line with the error", async () => {
    const { client, kv } = await openDoor();
    await kv.setMany(numberedEntries("k", 1_000));
    const { scan } = kv;
    let pages = 0;
    let bad = 1;
    kv.scan = async (options) => {
      if (++pages === bad) throw new UnknownError("it broke");
      return scan.call(kv, options) as any;
    };
    expect((await client.send("GET", "/v1/scan.ndjson")).status).toBe(500);
    [pages, bad] = [0, 2];
    const answer = await client.send("GET", "/v1/scan.ndjson");
    expect(answer.status).toBe(200);
    const lines = linesOf(answer.text);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toStrictEqual({
      error: { name: "UnknownError", code: "ANYKV_UNKNOWN", message: "it broke" },
    });
  });

  test("goes on when the caller takes more, and ends when the caller goes", async () => {
    const { door, kv } = await openDoor();
    const value = "x".repeat(2_000);
    for (let index = 0; index < 20_000; index++) await kv.set(`k${index}`, value);
    const entries = await new Promise<number>((resolve, reject) => {
      const sent = request(`${door.address.url}/v1/scan.ndjson`, (response) => {
        let newlines = 0;
        response.on("data", (chunk: Buffer) => {
          for (const byte of chunk) if (byte === 10) newlines++;
          // A caller that pauses again and again.
          response.pause();
          setImmediate(() => response.resume());
        });
        response.on("end", () => resolve(newlines));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end();
    });
    expect(entries).toBe(20_000);
    const raw = new RawClient(door).send("GET /v1/scan.ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await raw.until(/"key":"k0"/);
    raw.socket.destroy();
    await expect.poll(async () => requestsOf(door.address.url), { interval: 5 }).toBe(1);
  });
});

describe("large values behind many small ones", () => {
  const sizes = { bound: 262_144, value: 65_536, small: 2_500, large: 100 };
  const value = "x".repeat(sizes.value);

  async function opened(compress: boolean): Promise<OpenDoor & { pages: number[] }> {
    const { door, client, kv } = await openDoor();
    await kv.setMany(numberedEntries("a", sizes.small));
    for (let index = 0; index < sizes.large; index++) {
      await kv.set(`b${index}`, { value }, { compress });
    }
    const { scan } = kv;
    const pages: number[] = [];
    kv.scan = async (options) => {
      const page: any = await scan.call(kv, options);
      pages.push(JSON.stringify(page.entries).length);
      return page;
    };
    return { door, client, kv, pages };
  }

  test.each([false, true])("are read and written a few at a time (compressed: %s)", async (is) => {
    const { client, kv, pages } = await opened(is);
    const write = vi.spyOn(ServerResponse.prototype, "write");
    onTestFinished(() => write.mockRestore());
    const entries = await kv.list();
    for (const path of ["scan.ndjson", "export.jsonl"]) {
      const { text } = await client.send("GET", `/v1/${path}`);
      expect(linesOf(text)).toStrictEqual(entries);
    }
    const { text } = await client.send("GET", "/v1/export.csv?column=value&prefix=b");
    expect(text.length).toBeGreaterThan(sizes.large * sizes.value);
    const most = sizes.bound + sizes.value + 10_000;
    const pieces = write.mock.calls.map(([piece]) => String(piece).length);
    expect(Math.max(...pages)).toBeLessThan(most);
    expect(Math.max(...pieces)).toBeLessThan(most);
    // Of three streams; four values go together.
    expect(pieces.length).toBeLessThan(2 * sizes.large);
  });

  test("come from the store in pages as large, whatever was asked for in rows", async () => {
    const { kv } = await opened(false);
    const { store } = await Handle.served(kv);
    const request = { prefix: "b", after: "", limit: 0, bytesMax: 3 * sizes.value };
    const page = await store.scan(request);
    expect([page.entries.length, page.done]).toStrictEqual([3, false]);
    const last = await store.scan({ ...request, prefix: "b99" });
    expect([last.entries.length, last.done]).toStrictEqual([1, true]);
  });
});

describe("exports", () => {
  test("are what the files of the library are", async () => {
    const { client, kv } = await openDoor();
    await kv.setMany({ "u:1": { name: "Ann", age: 41 }, "u:2": { name: 'B "b"', tags: null } });
    const jsonl = await client.send("GET", "/v1/export.jsonl?prefix=u:");
    expect(jsonl.headers["content-disposition"]).toBe('attachment; filename="export.jsonl"');
    expect(jsonl.text).toBe(
      '{"key":"u:1","value":{"name":"Ann","age":41}}\n{"key":"u:2","value":{"name":"B \\"b\\"","tags":null}}\n',
    );
    const csv = await client.send("GET", "/v1/export.csv?column=name&column=age&limit=2");
    expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(csv.text).toBe('key,name,age\nu:1,Ann,41\nu:2,"B ""b""",\n');
    const bare = await client.send("GET", "/v1/export.csv?column=age&includeKey=false&delimiter=;");
    expect(bare.text).toBe("age\n41\n\n");
  });

  test("with bad parameters are refused", async () => {
    const { client } = await openDoor();
    for (const query of [
      ...["column=", "column=a&column=a", "column=key", "column=a&delimiter=ab"],
      ...["column=a&includeKey=1", "column=a&limit=2000000", "column=a&fileName=x"],
    ]) {
      expect([query, (await client.send("GET", `/v1/export.csv?${query}`)).status]).toStrictEqual([
        query,
        400,
      ]);
    }
  });

  test("that fail midway are cut off, so that nobody takes them for the whole", async () => {
    const { client, kv } = await openDoor();
    await kv.setMany(numberedEntries("k", 1_000));
    const { scan } = kv;
    let pages = 0;
    kv.scan = async (options) => {
      if (++pages === 3) throw new UnknownError("it broke");
      return scan.call(kv, options) as any;
    };
    await expect(client.send("GET", "/v1/export.jsonl")).rejects.toMatchObject({
      code: "ECONNRESET",
    });
  });
});

describe("events", () => {
  /** The time of the test for the timers, the real world for all else. */
  const slowEnv = (): { env: Env; virtual: ReturnType<typeof virtualEnv> } => {
    const virtual = virtualEnv({ seed: 1 });
    const timers = {
      after: virtual.timers.after.bind(virtual.timers),
      breathe: nodeEnv.timers.breathe,
    };
    return { env: { ...nodeEnv, clock: virtual.clock, timers }, virtual };
  };
  const eventsHead = "GET /v1/stats/events?interval=5000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const eventsIn = (text: string): any[] =>
    [...text.matchAll(/event: stats\nid: (\d+)\ndata: (.*)\n\n/g)].map(([, id, data = ""]) => ({
      id: Number(id),
      ...JSON.parse(data),
    }));

  test("tell the state at once and then once in an interval", async () => {
    const { env, virtual } = slowEnv();
    const { door, kv } = await openDoor({}, { env }, { metrics: { operations: true } });
    const raw = new RawClient(door).send(eventsHead);
    await raw.until(/id: 0\n.*\n\n/);
    expect(raw.text).toMatch(/Content-Type: text\/event-stream\r\n/);
    await kv.set("a", 1);
    await virtual.advance(4_999);
    expect(eventsIn(raw.text)).toHaveLength(1);
    await virtual.advance(1);
    await raw.until(/id: 1\n.*\n\n/);
    const [first, second] = eventsIn(raw.text);
    expect([first.stats.count, second.stats.count]).toStrictEqual([0, 1]);
    expect(second.metrics.operations.set).toMatchObject({ total: 1, ok: 1 });
    expect(second.time).toBe(virtual.clock.now());
  });

  test("have no metrics where nothing is measured", async () => {
    const { door } = await openDoor();
    const raw = new RawClient(door).send(eventsHead);
    await raw.until(/id: 0\n.*\n\n/);
    expect(eventsIn(raw.text)[0].metrics).toBeNull();
  });

  test("leave nothing behind when the caller goes, and are bounded in number", async () => {
    const { door, client } = await openDoor({ eventStreamsMax: 3 });
    for (let round = 0; round < 5; round++) {
      const streams = Array.from({ length: 3 }, () => new RawClient(door).send(eventsHead));
      await Promise.all(streams.map((raw) => raw.until(/id: 0/)));
      const refused = await client.send("GET", "/v1/stats/events");
      expect([refused.status, refused.headers["retry-after"]]).toStrictEqual([503, "10"]);
      for (const raw of streams) raw.socket.destroy();
      await expect
        .poll(async () => /^anykv_http_event_streams 0$/m.test(await metricsOf(door.address.url)), {
          interval: 5,
        })
        .toBe(true);
    }
  });

  test("end at once when the door closes, also those that are asked for by then", async () => {
    const { env } = slowEnv();
    const { door } = await openDoor({}, { env });
    const open = new RawClient(door).send(eventsHead);
    await open.until(/id: 0\n.*\n\n/);
    // The beginning of the second request has come when the first is answered.
    const health = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const late = new RawClient(door).send(health + eventsHead.slice(0, -2));
    await late.until(/"status":"ok"/);
    const closing = door.close();
    late.send("\r\n");
    await Promise.all([open.closed, late.closed, closing]);
    expect(late.text).toMatch(/Content-Type: text\/event-stream\r\n/);
    expect(late.text.endsWith("\r\n\r\n0\r\n\r\n")).toBe(true);
    expect(late.text).not.toContain("event:");
  });

  test("end with the error when the store has one", async () => {
    const { env, virtual } = slowEnv();
    const { door, kv } = await openDoor({}, { env });
    const raw = new RawClient(door).send(eventsHead);
    await raw.until(/id: 0\n.*\n\n/);
    kv.stats = () => Promise.reject(new UnknownError("it broke"));
    await virtual.advance(5_000);
    const text = await raw.until(/0\r\n\r\n$/);
    expect(text).toMatch(/event: error\nid: 1\ndata: \{"error":\{"name":"UnknownError"/);
  });
});

describe("reports", () => {
  test("/metrics has the store as it is now, and the door", async () => {
    const { client, kv } = await openDoor({}, {}, { metrics: { operations: true } });
    await kv.set("a", 1);
    await client.send("POST", "/v1/get", '{"key":"a"}');
    await client.send("POST", "/v1/get", '{"key":"b"}');
    await client.send("GET", "/nothing");
    const { text, headers } = await client.send("GET", "/metrics");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toMatch(/^xk6_kv_keys\{.*\} 1$/m);
    expect(text).toMatch(/^xk6_kv_operations_total\{.*op="get".*\} 1$/m);
    for (const line of [
      'anykv_http_requests_total{operation="get",status="200"} 1',
      'anykv_http_requests_total{operation="get",status="404"} 1',
      'anykv_http_requests_total{operation="none",status="404"} 1',
      "anykv_http_connections 1",
      "anykv_http_requests_in_flight 1",
      "anykv_http_event_streams 0",
      "anykv_http_unreadable_requests_total 0",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("/healthz tells whether the store answers, and no more", async () => {
    const { client, kv } = await openDoor();
    expect((await client.send("GET", "/healthz")).text).toBe('{"status":"ok"}');
    await kv.close();
    const { status, text } = await client.send("GET", "/healthz");
    expect(status).toBe(503);
    expect(JSON.parse(text)).toStrictEqual({
      status: "unavailable",
      error: { name: "StoreClosedError", code: "ANYKV_STORE_CLOSED" },
    });
  });

  test("stats do not tell where the files are", async () => {
    const path = `${process.env.TMPDIR ?? "/tmp"}/anykv-http-${process.pid}`;
    const { client } = await openDoor({}, {}, { backend: "wal", path });
    const { text } = await client.send("POST", "/v1/stats", "{}");
    expect(JSON.parse(text).result.disk.path).toBe(`anykv-http-${process.pid}`);
    expect(text).not.toContain(path);
  });
});

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

async function requestsOf(url: string): Promise<number> {
  const [, count] = /^anykv_http_requests_in_flight (\d+)$/m.exec(await metricsOf(url)) ?? [];
  return Number(count);
}
