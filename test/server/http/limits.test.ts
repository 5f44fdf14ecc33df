// Limits: callers that are slow, silent, too many or gone, and the end of the door.

import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationCanceledError } from "anykv";
import { afterAll, describe, expect, test } from "vitest";
import { newDeferred } from "../../../src/base/deferred.js";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import type { HttpOptions } from "../../../src/server/http/http-options.js";
import { getHead, levels, openDoor, post, postText, RawClient, until } from "./doors.js";

describe("slow callers", () => {
  test("who do not finish the header are told and cut off", async () => {
    const { door } = await openDoor({ headerTimeout: 60 });
    const raw = new RawClient(door).send("POST /v1/get HTTP/1.1\r\nHost: local");
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1.1 408 .*"the request has taken too long to arrive"/s);
  });

  test("who say nothing at all are cut off", async () => {
    const { door } = await openDoor({ headerTimeout: 60 });
    await new RawClient(door).closed;
  });

  test("who do not finish the body are told and cut off", async () => {
    const { door } = await openDoor({ headerTimeout: 60, requestTimeout: 100 });
    const raw = new RawClient(door).send(postText("get", '{"key":"a"}').slice(0, -3));
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1.1 408 /);
  });

  test("who send a byte now and then have no longer", async () => {
    const { door } = await openDoor({ headerTimeout: 60, requestTimeout: 150 });
    const raw = new RawClient(door);
    const timer = setInterval(() => raw.socket.write("x"), 10);
    raw.send("POST /v1/get HTTP/1.1\r\nHost: localhost\r\nX: ");
    await raw.closed;
    clearInterval(timer);
  });

  test("who take nothing of an answer are cut off, and it is read no further", async () => {
    // Long enough for a busy machine to read a request in the meantime.
    const { door, kv } = await openDoor({ stallTimeout: 1_500 });
    const value = "x".repeat(10_000);
    for (let index = 0; index < 5_000; index++) await kv.set(`k${index}`, value);
    let pages = 0;
    const { scan } = kv;
    kv.scan = (options) => {
      pages++;
      return scan.call(kv, options) as any;
    };
    const raw = new RawClient(door);
    raw.socket.pause();
    raw.send(getHead("/v1/scan.ndjson"));
    // The pause of the socket keeps its end from being seen; the door's side tells.
    await until(async () => (await levels(door.address.url)).requests === 1);
    // 50 MB in pages of a quarter of one.
    expect(pages).toBeLessThan(100);
  });

  test("who are idle between two requests are cut off", async () => {
    const { door } = await openDoor({ idleTimeout: 60 });
    const raw = new RawClient(door).send(postText("size", "{}"));
    await raw.until(/"result":0/);
    await raw.closed;
  });

  test("who only wait are not", async () => {
    const { door, kv } = await openDoor({ stallTimeout: 500, idleTimeout: 500 });
    const raw = new RawClient(door).send(postText("pop_wait", '{"key":"q"}'));
    const idle = new RawClient(door).send(postText("size", "{}"));
    await idle.closed;
    await kv.append("q", "late");
    await raw.until(/\{"result":"late"\}/);
  });
});

describe("too much", () => {
  test("header is refused", async () => {
    const { door } = await openDoor();
    const raw = new RawClient(door).send(
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1.1 431 .*RequestRefusedError/s);
  });

  test("that is no HTTP is refused", async () => {
    const { door } = await openDoor();
    for (const text of ["*1\r\n$4\r\nPING\r\n", "\u0016\u0003\u0001", "GET\r\n\r\n", "hello\n\n"]) {
      const raw = new RawClient(door).send(text);
      await raw.closed;
      expect(raw.text).toMatch(/^HTTP\/1.1 400 .*ANYKV_REQUEST_REFUSED/s);
    }
  });

  test("ambiguous lengths are refused", async () => {
    const { door, kv } = await openDoor();
    await kv.set("a", 1);
    const head = "POST /v1/clear HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (const lengths of [
      "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{}",
      "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
      "Content-Length: -1\r\n\r\n{}",
      "Content-Length: +2\r\n\r\n{}",
      "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ]) {
      const raw = new RawClient(door).send(head + lengths);
      await raw.closed;
      expect(raw.text).toMatch(/^(HTTP\/1.1 400 |$)/);
    }
    expect(await kv.size()).toBe(1);
  });

  test("connections are closed at once", async () => {
    const { door } = await openDoor({ connectionsMax: 2 });
    const first = new RawClient(door).send(postText("size", "{}"));
    const second = new RawClient(door).send(postText("size", "{}"));
    await Promise.all([first.until(/result/), second.until(/result/)]);
    const third = new RawClient(door).send(postText("size", "{}"));
    await third.closed;
    expect(third.text).toBe("");
    first.socket.destroy();
    await first.closed;
    await until(async () => {
      const raw = new RawClient(door).send(postText("size", "{}"));
      await Promise.race([raw.closed, raw.until(/result/).catch(() => {})]);
      return raw.text !== "";
    });
  });
});

describe("callers who have gone", () => {
  test("wait no longer, and take nothing", async () => {
    const { door, kv } = await openDoor();
    const raw = new RawClient(door).send(postText("pop_first_wait", '{"key":"q"}'));
    await until(async () => (await levels(door.address.url)).requests === 2);
    raw.socket.destroy();
    await until(async () => (await levels(door.address.url)).requests === 1);
    await kv.append("q", 1);
    expect(await kv.range("q")).toStrictEqual([1]);
  });

  test("are noticed also when much waits behind their wait, where Node reads no further", async () => {
    const { door, kv } = await openDoor();
    const raw = new RawClient(door).send(postText("pop_first_wait", '{"key":"q"}'));
    await until(async () => (await levels(door.address.url)).requests === 2);
    const large = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let isClosed = false;
    void raw.closed.then(() => {
      isClosed = true;
    });
    // Node looks at what waits when the next request comes.
    await until(async () => {
      if (!isClosed) raw.send(large);
      return isClosed && (await levels(door.address.url)).requests === 1;
    });
    await kv.append("q", 1);
    expect(await kv.range("q")).toStrictEqual([1]);
  });

  test("in the middle of a body leave nothing behind", async () => {
    const { door, kv } = await openDoor();
    const raw = new RawClient(door).send(postText("clear", "{}").slice(0, -1));
    await until(async () => (await levels(door.address.url)).requests === 2);
    raw.socket.destroy();
    await until(async () => (await levels(door.address.url)).requests === 1);
    expect(await kv.size()).toBe(0);
  });

  test("after a time-out of the wait are answered null", async () => {
    const { client } = await openDoor();
    expect((await post(client, "pop_wait", { key: "q", timeout: 20 })).body).toStrictEqual({
      result: null,
    });
  });

  test("leave no listeners on a connection that goes on", async () => {
    const { door } = await openDoor();
    const raw = new RawClient(door);
    for (let round = 0; round < 30; round++) {
      raw.text = "";
      await raw.send(postText("pop_wait", '{"key":"q","timeout":0}')).until(/null/);
    }
    expect(getEventListeners(raw.socket, "close").length).toBeLessThan(5);
  });
});

describe("requests one behind the other on a connection", () => {
  test("are answered in their order", async () => {
    const { door, kv } = await openDoor();
    await kv.set("a", 1);
    const raw = new RawClient(door).send(
      postText("pop_wait", '{"key":"q"}') + postText("get", '{"key":"a"}') + postText("size", ""),
    );
    await until(async () => (await levels(door.address.url)).requests === 2);
    expect(raw.text).toBe("");
    await kv.append("q", "first");
    const text = await raw.until(/"first".*"result":1\}.*"result":1\}$/s);
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(3);
  });

  test("leave nothing behind when the connection closes before their turn", async () => {
    const { door, kv } = await openDoor();
    const head = "GET /v1/stats/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const wait = postText("pop_wait", '{"key":"q"}');
    const scan = "GET /v1/scan.ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (let index = 0; index < 100; index++) await kv.set(`k${index}`, "x".repeat(10_000));
    const raw = new RawClient(door).send(wait + head + wait + scan);
    await until(async () => (await levels(door.address.url)).requests === 5);
    raw.socket.destroy();
    await until(async () => (await levels(door.address.url)).requests === 1);
    const metrics = await (await fetch(`${door.address.url}/metrics`)).text();
    expect(metrics).toMatch(/^anykv_http_event_streams 0$/m);
    await kv.append("q", 1);
    expect(await kv.length("q")).toBe(1);
  });

  test("are bounded", async () => {
    const { door, kv } = await openDoor();
    const many = postText("pop_wait", '{"key":"q"}').repeat(256);
    const raw = new RawClient(door).send(
      many + postText("set", '{"key":"a","value":1}').repeat(50),
    );
    await raw.closed;
    await until(async () => (await levels(door.address.url)).requests === 1);
    await kv.append("q", 1);
    expect(await kv.length("q")).toBe(1);
    expect(await kv.exists("a")).toBe(false);
  });
});

describe("work that takes its time", () => {
  const directory = mkdtempSync(join(tmpdir(), "anykv-http-limits-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** A backup that ends with its signal, and what becomes of it. */
  async function longBackup(options: HttpOptions) {
    const { door, kv } = await openDoor({ filesDirectory: directory, ...options });
    const begun = newDeferred();
    const aborted = newDeferred();
    kv.backup = (given) => {
      begun.resolve();
      return new Promise((_resolve, reject) => {
        given?.signal?.addEventListener("abort", () => {
          aborted.resolve();
          reject(new OperationCanceledError("operation was canceled"));
        });
      });
    };
    const raw = new RawClient(door).send(postText("backup", '{"fileName":"b"}'));
    await begun.promise;
    return { door, raw, aborted: aborted.promise };
  }

  test("ends when the caller hangs up", async () => {
    const { raw, aborted } = await longBackup({});
    raw.socket.destroy();
    await aborted;
  });

  test("ends when the door closes and its time is up", async () => {
    const { door, aborted } = await longBackup({ closeTimeout: 30 });
    await Promise.all([door.close(), aborted]);
  });
});

describe("close", () => {
  test("lets what was received come to its end, and takes no more", async () => {
    const { door, kv } = await openDoor();
    let proceed = (): void => {};
    const held = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let hasBegun = (): void => {};
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    kv.size = async () => {
      hasBegun();
      await held;
      return 42;
    };
    const idle = new RawClient(door).send(postText("count", "{}"));
    await idle.until(/"result":0/);
    const busy = new RawClient(door).send(postText("size", "{}"));
    await begun;
    const closing = door.close();
    expect(door.close()).toBe(closing);
    await idle.closed;
    const late = new RawClient(door);
    await late.closed;
    proceed();
    expect(await busy.until(/"result":42/)).toMatch(/\r\nConnection: close\r\n/);
    await Promise.all([busy.closed, closing]);
    expect(await kv.count()).toBe(0);
  });

  test("ends what waits, with an error, and streams of events", async () => {
    const { door, kv } = await openDoor();
    const waiting = new RawClient(door).send(postText("pop_wait", '{"key":"q"}'));
    const events = new RawClient(door).send(getHead("/v1/stats/events"));
    await events.until(/event: stats/);
    await until(async () => (await levels(door.address.url)).requests === 3);
    await door.close();
    await Promise.all([waiting.closed, events.closed]);
    expect(waiting.text).toMatch(/^HTTP\/1.1 503 .*"OperationCanceledError"/s);
    expect(events.text).toMatch(/0\r\n\r\n$/);
    await kv.append("q", 1);
    expect(await kv.length("q")).toBe(1);
  });

  test("cuts off what does not end", async () => {
    const { door, kv } = await openDoor({ closeTimeout: 50 });
    let hasBegun = (): void => {};
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    kv.size = () => {
      hasBegun();
      return new Promise(() => {});
    };
    const raw = new RawClient(door).send(postText("size", "{}"));
    await begun;
    await Promise.all([door.close(), raw.closed]);
    expect(raw.text).toBe("");
  });

  test("an address that is taken rejects the opening", async () => {
    const { door, kv } = await openDoor();
    const opening = openHttpDoor(kv, { port: door.address.port });
    await expect(opening).rejects.toMatchObject({ name: "ServerListenError" });
  });
});
