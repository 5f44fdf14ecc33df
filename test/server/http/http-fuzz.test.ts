// Fuzz: requests by chance against a door that serves files. Each connection has to come to its end,
// each answer has to be one of HTTP, nothing unforeseen may happen, and nothing beside the directory
// for files may change. `ANYKV_FUZZ_CASES` sets how many, `ANYKV_SEED` another seed, and
// `ANYKV_FUZZ_AT` repeats one.

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
import { expect, test } from "vitest";
import { openDoor, post } from "./doors.js";
import { fuzzRequest } from "./fuzz-requests.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const only = process.env.ANYKV_FUZZ_AT;
const cases = only === undefined ? Number(process.env.ANYKV_FUZZ_CASES ?? 4_000) : 1;
const first = Number(only ?? 0);
const atOnce = 32;

/** What comes back until the connection is closed; the request is followed by the end of ours. */
function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks)));
    socket.end(bytes);
  });
}

const statuses = new Set([
  ...[200, 204, 400, 403, 404, 405, 408, 409, 413, 415, 417, 421, 422, 431, 500, 501, 503],
]);

function faultOf(answer: Buffer, isWhole: boolean): string | undefined {
  const text = answer.toString("latin1").replaceAll("HTTP/1.1 100 Continue\r\n\r\n", "");
  // We have hung up: what was not ready by then is not answered.
  if (text === "") return undefined;
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  if (status === undefined) return `no HTTP: ${text.slice(0, 100)}`;
  if (!statuses.has(Number(status))) return `the status ${status}`;
  if (isWhole && status === "408") return "a time-out";
  if (/ANYKV_(UNKNOWN|INTERNAL)/.test(text)) return text.slice(0, 2_000);
  return undefined;
}

test(`${cases} requests by chance`, { timeout: 3_600_000 }, async () => {
  const around = mkdtempSync(join(tmpdir(), "anykv-http-fuzz-"));
  const directory = join(around, "files");
  mkdirSync(directory);
  writeFileSync(join(around, "kept"), "kept");
  symlinkSync(around, join(directory, "link"));
  symlinkSync(join(around, "kept"), join(directory, "l"));
  const unforeseen: unknown[] = [];
  const onError = (error: unknown) => unforeseen.push(error);
  const options = { filesDirectory: directory, bodyLimit: 100_000, closeTimeout: 5_000 };
  const { door, client, kv } = await openDoor(options, { onError });
  const memory = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().rss;
  };
  let next = first;
  const counts = { answered: 0, ok: 0 };
  const worker = async (): Promise<void> => {
    while (next < first + cases) {
      const number = next++;
      const { bytes, isWhole } = fuzzRequest(seed, number);
      const answer = await exchange(door.address.port, bytes);
      const fault = faultOf(answer, isWhole);
      if (fault !== undefined || unforeseen.length > 0) {
        const again = `ANYKV_SEED=${seed} ANYKV_FUZZ_AT=${number}`;
        throw new Error(
          `${again}: ${fault ?? String(unforeseen[0])}\n${bytes.toString("latin1").slice(0, 2_000)}`,
        );
      }
      if (answer.length > 0) counts.answered++;
      if (isWhole && answer.toString("latin1", 0, 15) === "HTTP/1.1 200 OK") counts.ok++;
    }
  };
  const warmUp = memory();
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
    console.info(`${cases} requests, ${counts.answered} answered, ${counts.ok} carried out`);
    if (only === undefined) {
      expect(counts.answered).toBeGreaterThan(cases * 0.8);
      expect(counts.ok).toBeGreaterThan(cases * 0.15);
    }
    expect((memory() - warmUp) / 2 ** 20).toBeLessThan(400);
    expect(unforeseen).toStrictEqual([]);
    expect((await post(client, "size")).status).toBe(200);
    // Answers to callers who have hung up come to their end as well.
    const levels = async (): Promise<string[]> => {
      const { text } = await client.send("GET", "/metrics");
      return text.split("\n").filter((line) => /^anykv_http_(event|requests_in)/.test(line));
    };
    const none = ["anykv_http_requests_in_flight 1", "anykv_http_event_streams 0"];
    await expect.poll(levels, { timeout: 20_000 }).toStrictEqual(none);
    expect(readdirSync(around).sort()).toStrictEqual(["files", "kept"]);
    expect(readFileSync(join(around, "kept"), "utf8")).toBe("kept");
    expect(({} as { a?: unknown }).a).toBeUndefined();
    await kv.clear();
  } finally {
    rmSync(around, { recursive: true, force: true });
  }
});
