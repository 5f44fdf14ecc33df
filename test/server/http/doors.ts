// Doors: a fresh store in memory behind a door, and ways to knock at it.

import { connect, type Socket } from "node:net";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { onTestFinished } from "vitest";
import { type HttpDoor, type HttpSeams, openHttpDoor } from "../../../src/server/http/http-door.js";
import type { HttpOptions } from "../../../src/server/http/http-options.js";
import { HttpClient } from "./http-client.js";

let stores = 0;

export interface OpenDoor {
  readonly kv: Kv;
  readonly door: HttpDoor;
  readonly client: HttpClient;
}

/** Closed when the test has finished. */
export async function openDoor(
  options: HttpOptions = {},
  seams: HttpSeams = {},
  storeOptions: OpenKvOptions = {},
): Promise<OpenDoor> {
  const kv = openKv({ name: `door-${++stores}`, backend: "memory", ...storeOptions });
  const door = await openHttpDoor(kv, { port: 0, ...options }, seams);
  const client = new HttpClient({ url: door.address.url, serialization: "json" });
  onTestFinished(async () => {
    await client.close();
    await door.close();
    await kv.close();
  });
  return { kv, door, client };
}

/** A JSON answer: its status and its body. */
export async function post(
  client: HttpClient,
  operation: string,
  body: unknown = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; body: any }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await client.send("POST", `/v1/${operation}`, text, { headers });
  return { status: answer.status, body: JSON.parse(answer.text) };
}

/** A connection that sends bytes as they are, and keeps what comes. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  text = "";
  #onData: (() => void) | undefined;

  constructor({ address }: HttpDoor) {
    this.socket = connect(address.port, address.host);
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => {
      this.text += String(chunk);
      this.#onData?.();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve()));
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  send(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** Resolves when what has come matches. Rejects when the connection closes before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      const more = new Promise<boolean>((resolve) => {
        this.#onData = () => resolve(true);
        void this.closed.then(() => resolve(false));
      });
      if (!(await more) && !pattern.test(this.text)) throw new Error(`closed after ${this.text}`);
    }
    return this.text;
  }
}

/** A POST as text. */
export function postText(operation: string, body: string, headers: readonly string[] = []): string {
  const head = [
    `POST /v1/${operation} HTTP/1.1`,
    "Host: localhost",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** A GET as text. */
export function getHead(path: string, header = "Accept: */*"): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`;
}

/** Asks again and again, with a turn of the loop between. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 20_000; round++) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it never came to that");
}

/** The gauges of the door; the request that asks counts as well. */
export async function levels(url: string): Promise<{ requests: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, requests] = /^anykv_http_requests_in_flight (\d+)$/m.exec(text) ?? [];
  return { requests: Number(requests) };
}
