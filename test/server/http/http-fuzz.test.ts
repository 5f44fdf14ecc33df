// Fuzz: requests by chance against a door that serves files, and against one that asks for a token
// that nobody has. Each connection has to come to its end, each answer has to be one of HTTP, nothing
// unforeseen may happen, nothing beside the directory for files may change, memory stays what it is,
// and who has no token changes nothing and hears nothing. `ANYKV_FUZZ_CASES` sets how many there are,
// `ANYKV_SEED` another seed, and `ANYKV_FUZZ_AT` repeats one.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Kv, openKv } from "anykv";
import { expect, onTestFinished, test } from "vitest";
import { Handle } from "../../../src/kv/handle.js";
import { FunctionDoor } from "../../../src/server/functions/fcall.js";
import { functionLibraryOf } from "../../../src/server/functions/function-commands.js";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import { type FuzzRequest, fuzzRequest } from "./fuzz-requests.js";
import { HttpClient } from "./http-client.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const only = process.env.ANYKV_FUZZ_AT;
const cases = only === undefined ? Number(process.env.ANYKV_FUZZ_CASES ?? 4_000) : 1;
const first = Number(only ?? 0);
const atOnce = 32;
/** Every so many requests the doors are asked how they are. */
const casesPerRound = 1_000;
/**
 * Events have no end of their own, and while much waits behind them on their connection Node reads no
 * further, and does not see the end of ours: who has heard so many hangs up.
 */
const eventsMax = 20;
/** Longer than any time-out of a door. */
const exchangeMs = 120_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What comes back until the connection is closed; the request is followed by the end of ours. */
function exchange(port: number, { bytes, cuts }: FuzzRequest): Promise<Buffer | "no end"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => {
      resolve("no end");
      socket.destroy();
    }, exchangeMs);
    let events = 0;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunk.includes("event: stats") && ++events > eventsMax) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    const send = (from: number, [cut, ...more]: readonly number[]): void => {
      if (cut === undefined) socket.end(bytes.subarray(from));
      else socket.write(bytes.subarray(from, cut), () => setImmediate(send, cut, more));
    };
    send(0, cuts);
  });
}

const statuses = new Set([
  ...[200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 421, 422, 431, 500, 501, 503],
]);
const secret = "what-is-kept-here";
/** That a token is needed, that the request is none, and what may be asked of which path. */
const toStrangers = new Set([204, 400, 401, 403, 405, 408, 413, 417, 431]);
const wellLength = '{"status":"ok"}'.length;

function faultOf(answer: Buffer | "no end", isWhole: boolean): string | undefined {
  if (answer === "no end") return "the connection has no end";
  const text = textOf(answer);
  // We have hung up: what was not ready by then is not answered.
  if (text === "") return undefined;
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  if (status === undefined) return `no HTTP: ${text.slice(0, 100)}`;
  if (!statuses.has(Number(status))) return `the status ${status}`;
  if (isWhole && status === "408") return "a time-out";
  if (/ANYKV_(UNKNOWN"|INTERNAL)/.test(text)) return text.slice(0, 2_000);
  return undefined;
}

function textOf(answer: Buffer): string {
  return answer.toString("latin1").replaceAll("HTTP/1.1 100 Continue\r\n\r\n", "");
}

/** What was told to somebody without a token, which must not be. */
function leakOf(answer: Buffer): string | undefined {
  const text = textOf(answer);
  const isFine = [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n.*?\r\n\r\n/gs)].every(
    ([head, digits]) => {
      const status = Number(digits);
      // How the server is may be asked by everybody.
      if (status === 200) return head.includes(`\r\nContent-Length: ${wellLength}\r\n`);
      return toStrangers.has(status) || (status === 404 && text.includes("nothing at this path"));
    },
  );
  return isFine && !text.includes(secret) ? undefined : `told to a stranger: ${text.slice(0, 500)}`;
}

interface Tried {
  readonly port: number;
  readonly client: HttpClient;
  readonly kv: Kv;
}

const token = "a-token-that-nobody-has";

async function openTried(files: string, isGuarded: boolean, unforeseen: unknown[]): Promise<Tried> {
  const kv = openKv({ name: `fuzz ${isGuarded}`, backend: "memory" });
  await kv.set("a", secret);
  await kv.append("q", secret);
  const library = functionLibraryOf(await Handle.served(kv as unknown as Handle));
  const functions = new FunctionDoor(library, { prefix: "anykv", store: "s" });
  const limits = { bodyLimit: 100_000, closeTimeout: 5_000 };
  const tokens = isGuarded ? [token] : [];
  const door = await openHttpDoor(
    kv,
    { port: 0, filesDirectory: files, ...limits, ...(isGuarded && { tokens }) },
    {
      onError: (error) => unforeseen.push(error),
      functions: {
        natureOf: (operation) => functions.natureOf(operation),
        call: ({ operation, tag, args }) =>
          functions.call([`anykv_${operation}`, "1", `${tag}:v`, ...args], false),
      },
    },
  );
  const client = new HttpClient({
    url: door.address.url,
    serialization: "json",
    ...(isGuarded && { token }),
  });
  onTestFinished(async () => {
    await client.close();
    await door.close();
    await kv.close();
  });
  return { port: door.address.port, client, kv };
}

class Fuzz {
  readonly unforeseen: unknown[] = [];
  readonly counts = { answered: 0, ok: 0, open: 0 };
  #next = first;
  #open!: Tried;
  #guarded!: Tried;

  async begin(files: string): Promise<void> {
    this.#open = await openTried(files, false, this.unforeseen);
    this.#guarded = await openTried(files, true, this.unforeseen);
  }

  async round(): Promise<void> {
    const end = Math.min(this.#next + casesPerRound, first + cases);
    const worker = async (): Promise<void> => {
      while (this.#next < end) await this.#try(this.#next++);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    await this.#goesOn();
  }

  get isOver(): boolean {
    return this.#next >= first + cases;
  }

  async #try(number: number): Promise<void> {
    const request = fuzzRequest(seed, number);
    const isGuarded = number % 4 === 3;
    const { port } = isGuarded ? this.#guarded : this.#open;
    const answer = await exchange(port, request);
    const fault = faultOf(answer, request.isWhole);
    const leak = isGuarded && answer !== "no end" ? leakOf(answer) : undefined;
    const found = fault ?? leak ?? this.unforeseen[0];
    if (found !== undefined) {
      const again = `ANYKV_SEED=${seed} ANYKV_FUZZ_AT=${number}`;
      const bytes = request.bytes.toString("latin1").slice(0, 2_000);
      throw new Error(
        `${again} npx vitest run test/server/http/http-fuzz.test.ts\n${found}\n${bytes}`,
      );
    }
    if (answer.length > 0) this.counts.answered++;
    if (isGuarded) return;
    this.counts.open++;
    if (request.isWhole && answer.toString("latin1", 0, 15) === "HTTP/1.1 200 OK") this.counts.ok++;
  }

  /** Both doors answer, and behind the guarded one everything is as it was. */
  async #goesOn(): Promise<void> {
    const { client, kv } = this.#guarded;
    for (const door of [this.#open.client, client]) {
      expect((await door.send("GET", "/healthz")).text).toBe('{"status":"ok"}');
    }
    expect(await kv.list()).toStrictEqual([{ key: "a", value: secret }]);
    expect([await kv.size(), await kv.range("q")]).toStrictEqual([1, [secret]]);
  }

  /** Answers to callers who have hung up come to their end as well. */
  async atRest(): Promise<void> {
    for (const { client } of [this.#open, this.#guarded]) {
      const levels = async (): Promise<string[]> => {
        const { text } = await client.send("GET", "/metrics");
        return text.split("\n").filter((line) => /^anykv_http_(event|requests_in)/.test(line));
      };
      const none = ["anykv_http_requests_in_flight 1", "anykv_http_event_streams 0"];
      await expect.poll(levels, { timeout: 20_000 }).toStrictEqual(none);
    }
  }

  /** In MiB, when everything is at rest and the store is empty. */
  async heap(): Promise<number> {
    await this.atRest();
    await this.#open.kv.clear();
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  }
}

test(`${cases} requests by chance, seed ${seed}`, { timeout: 7_200_000 }, async () => {
  const around = mkdtempSync(join(tmpdir(), "anykv-http-fuzz-"));
  const directory = join(around, "files");
  mkdirSync(directory);
  writeFileSync(join(around, "kept"), "kept");
  symlinkSync(around, join(directory, "link"));
  symlinkSync(join(around, "kept"), join(directory, "l"));
  const fuzz = new Fuzz();
  const { counts } = fuzz;
  try {
    await fuzz.begin(directory);
    await fuzz.round();
    const before = await fuzz.heap();
    while (!fuzz.isOver) await fuzz.round();
    const after = await fuzz.heap();
    const heap = `heap ${before.toFixed(1)} then ${after.toFixed(1)} MiB`;
    console.info(
      `${cases} requests, ${counts.answered} answered, ${counts.ok} carried out, ${heap}`,
    );
    if (only === undefined) {
      expect(counts.answered).toBeGreaterThan(cases * 0.8);
      expect(counts.ok).toBeGreaterThan(counts.open * 0.15);
    }
    expect(after - before).toBeLessThan(32);
    expect(fuzz.unforeseen).toStrictEqual([]);
    expect(readdirSync(around).sort()).toStrictEqual(["files", "kept"]);
    expect(readFileSync(join(around, "kept"), "utf8")).toBe("kept");
    expect(({} as { a?: unknown }).a).toBeUndefined();
  } finally {
    rmSync(around, { recursive: true, force: true });
  }
});
