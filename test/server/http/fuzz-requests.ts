// Fuzz requests: requests by chance, good, nearly good and bad, each from its number alone.

import { seededRandom } from "anykv/testing";
import type { Parameter } from "../../../src/server/http/operation.js";
import { httpOperations } from "../../../src/server/http/operation-table.js";
import { CallDraws } from "../functions/call-draws.js";

type Random = ReturnType<typeof seededRandom>;

const quickOperations = httpOperations.filter(({ file }) => file === undefined);

export interface FuzzRequest {
  readonly bytes: Buffer;
  /** Nothing was changed at random: the answer has to be one of HTTP. */
  readonly isWhole: boolean;
  /** Where what is sent is divided into pieces. */
  readonly cuts: readonly number[];
}

/** By which functions name the served store. */
export const storeTag = "anykv:{s:0}";

const texts = [
  ...["", "a", "b", "q", "k\0", "../x", "/etc/passwd", "é😀", "\ud800", "__proto__", "constructor"],
  ...["x".repeat(1_025), "x".repeat(300), '"', "\\", "\n", "{}", "[", "null", "1", "-1", "1e400"],
  ...["anykv:{x:0}", "a/b", "..", "C:\\x", "link/x", "AA==", "%00", "\u2028", "toString"],
];
const numbers = [
  0,
  1,
  -1,
  2,
  10,
  1.5,
  1e21,
  -1e21,
  2 ** 53,
  2 ** 63,
  100_001,
  1_000_001,
  -0,
  5e-324,
];
const methods = [
  "POST",
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
  "PATCH",
  "TRACE",
  "POTS",
  "post",
];
const getPaths = [
  ...["/healthz", "/metrics", "/openapi.json", "/v1/scan.ndjson", "/v1/export.jsonl"],
  ...["/v1/export.csv?column=a", "/v1/stats/events?interval=100", "/v1/scan.ndjson?prefix=%00%ff"],
  ...[
    "/v1/scan.ndjson?limit=-1",
    "/v1/scan.ndjson?limit=99999999999999999999",
    "/v1/scan.ndjson?%",
  ],
  ...["/", "*", "/v1/%2e%2e/get", "/../../etc/passwd", "//", "/v1/fcall/get", "http://x/v1/get"],
];
/** Ways to something that is there, and to what is not, that a server may take for one another. */
const oddPaths = [
  ...["/v1/%67et", "/v1/..%2fget", "/v1//get", "//v1/get", "/v1/get/", "/V1/GET", "/v1/get%00"],
  ...["/v1/get?%", "/v1/get?a=%zz", "/v1/get#x", "/v1/get;x", "/v1/./get", "/v1/set/../get", "/v1"],
  ...[
    "/v1/__proto__",
    "/v1/constructor",
    "/v1/fcall/__proto__",
    "/v1/fcall/toString",
    "/v1/fcall/",
  ],
  ...[
    "/v1/fcall/..%2f..",
    "/healthz/../v1/get",
    "/healthz%2f..%2fmetrics",
    "/\\..\\x",
    "/%2e%2e/%2e%2e/etc/passwd",
  ],
  ...[
    "http://localhost/healthz",
    "https://user:p@localhost/v1/get",
    "localhost:80",
    "?",
    "",
    "/\u00e9",
  ],
  ...[
    `/v1/${"a".repeat(9_000)}`,
    `/${"%2e%2e/".repeat(300)}etc/passwd`,
    `/healthz?${"a".repeat(20_000)}`,
  ],
];
const fileNames = [
  ...[
    "f",
    "d/f",
    "link/x",
    "../x",
    "/tmp/x",
    "l",
    "a\0",
    "d",
    "..",
    ".",
    "d/../../x",
    "link/../kept",
  ],
  ...[
    "%2e%2e/x",
    "..%2fx",
    "..\\x",
    "C:\\x",
    "//etc/passwd",
    "file:///etc/passwd",
    "l/x",
    "d//f",
    "f/",
  ],
  ...[
    "\u2025/x",
    "\uff0e\uff0e/kept",
    "x".repeat(300),
    "d/".repeat(500),
    "kept\0.jsonl",
    "~/x",
    "-",
  ],
];
const headerLines = [
  ...[
    "Host: localhost",
    "Host: evil.example",
    "Host:",
    "Origin: null",
    "Origin: https://x.example",
  ],
  ...["Content-Type: application/json", "Content-Type: text/plain", "Content-Encoding: gzip"],
  ...["Authorization: Bearer", "Authorization: Bearer ÿ", "Expect: 100-continue", "Expect: x"],
  ...["Connection: upgrade", "Upgrade: websocket", "Upgrade: h2c", "Connection: close"],
  ...[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip",
    "Content-Length: 5",
    "Range: bytes=0-",
  ],
  ...["Content-Length: 99999999999999999999", "Content-Length: -1", `X: ${"y".repeat(9_000)}`],
  ...["Sec-Fetch-Site: cross-site", "X-Forwarded-For: 127.0.0.1", "Accept: \u0000", ": x", "x"],
  ...["Access-Control-Request-Method: POST", "Trailer: x", "TE: trailers", "Cookie: a=b"],
];

/** The request of a number. */
export function fuzzRequest(seed: number, number: number): FuzzRequest {
  const random = seededRandom(seed * 1_000_003 + number);
  const requests = Array.from({ length: chance(random, 10) ? 1 + below(random, 4) : 1 }, () =>
    requestText(random),
  );
  const bytes = Buffer.from(requests.join(""), chance(random, 20) ? "latin1" : "utf8");
  if (!chance(random, 4)) return { bytes, isWhole: true, cuts: cutsOf(random, bytes) };
  const changed = mutated(random, bytes);
  return { bytes: changed, isWhole: false, cuts: cutsOf(random, changed) };
}

/** Mostly none. */
function cutsOf(random: Random, { length }: Buffer): number[] {
  if (!chance(random, 12)) return [];
  const cuts = Array.from({ length: 1 + below(random, 3) }, () => below(random, length + 1));
  return cuts.sort((a, b) => a - b);
}

function below(random: Random, bound: number): number {
  return random.below(bound);
}

/** True once in `of`. */
function chance(random: Random, of: number): boolean {
  return below(random, of) === 0;
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)] as Item;
}

function requestText(random: Random): string {
  const isCall = !chance(random, 5);
  // Those on files take a hundred times as long as others.
  const operations = chance(random, 25) ? httpOperations : quickOperations;
  const operation = pick(random, operations);
  const isFunction = isCall && chance(random, 8);
  const call = isFunction ? functionCall(random) : undefined;
  const path = isCall ? `/v1/${call?.name ?? operation.name}` : pick(random, getPaths);
  const method = chance(random, 12) ? pick(random, methods) : isCall ? "POST" : "GET";
  const hasBody = isCall || chance(random, 3);
  const body = hasBody ? (call?.body ?? bodyText(random, operation.parameters)) : "";
  const shown = chance(random, 25) ? pick(random, oddPaths) : path;
  const lines = [`${method} ${shown} HTTP/${chance(random, 40) ? "1.0" : "1.1"}`];
  if (!chance(random, 40)) lines.push("Host: localhost");
  if (isCall && !chance(random, 30)) lines.push("Content-Type: application/json");
  while (chance(random, 4)) lines.push(pick(random, headerLines));
  if (chance(random, 20)) {
    lines.push("Transfer-Encoding: chunked");
    return `${lines.join("\r\n")}\r\n\r\n${chunked(random, body)}`;
  }
  if (body !== "") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function functionCall(random: Random): { name: string; body: string } {
  const { operation, args } = new CallDraws(random).draw();
  const tag = chance(random, 20) ? pick(random, texts) : storeTag;
  const odd = chance(random, 10) ? [anything(random, 2)] : [];
  return { name: `fcall/${operation}`, body: JSON.stringify({ tag, args: [...args, ...odd] }) };
}

const chunkSizes = [
  ...["0x5", "-1", "+5", "ffffffffffffffff", "10000000000000000", "5 ", " 5", "", "g", "00005"],
  ...["5;a=b", `5;${"a".repeat(20_000)}`, "5\n", "7fffffff", "5,5"],
];
const chunkEnds = [
  ...[
    "0\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    `0\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
    "0\r\n",
    "",
    "0\n\n",
  ],
  ...[
    "0\r\nContent-Length: 5\r\n\r\n",
    "0;a\r\n\r\n",
    "00000\r\n\r\n",
    "0\r\n\r\nPOST /v1/clear HTTP/1.1\r\n",
  ],
];

function chunked(random: Random, body: string): string {
  const bytes = Buffer.from(body);
  const at = below(random, bytes.length + 1);
  const parts = [bytes.subarray(0, at), bytes.subarray(at)].filter((part) => part.length > 0);
  const texts = parts.map((part) => {
    const size = chance(random, 8) ? pick(random, chunkSizes) : part.length.toString(16);
    return `${size}\r\n${part.toString()}${chance(random, 20) ? "" : "\r\n"}`;
  });
  return `${texts.join("")}${chance(random, 4) ? pick(random, chunkEnds) : "0\r\n\r\n"}`;
}

const oddBodies = [
  ...[
    "",
    "{",
    "[]",
    "nul",
    "{}{}",
    "[".repeat(2_000),
    '{"a":'.repeat(700),
    "\ufeff{}",
    '{"key":"a",}',
  ],
  ...['{"key":"\\ud800"}', '{"key":NaN}', "{'key':'a'}", '{"key":"a","key":"b"}', '{"key":1e999}'],
  ...[`{"key":"a","value":${"[".repeat(501)}${"]".repeat(501)}}`, "[".repeat(99_000)],
  ...[
    `{"key":"${"x".repeat(120_000)}"}`,
    " ".repeat(100_001),
    `{"key":"a","value":${"9".repeat(5_000)}}`,
  ],
];

function bodyText(random: Random, parameters: readonly Parameter[]): string {
  if (chance(random, 40)) return pick(random, oddBodies);
  const body: [string, unknown][] = [];
  for (const parameter of parameters) {
    if (!parameter.isRequired && !chance(random, 3)) continue;
    if (chance(random, 25)) continue;
    body.push([parameter.name, partOf(random, parameter)]);
  }
  if (chance(random, 20)) body.push([pick(random, texts), anything(random, 2)]);
  // Joined by hand: a name may be there twice, or be __proto__.
  const members = body.map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`,
  );
  return `{${members.join(",")}}`;
}

/** Mostly what fits. */
function partOf(random: Random, { name, schema }: Parameter): unknown {
  if (chance(random, 6)) return anything(random, 3);
  if (name === "key" || name === "bucket" || name === "item")
    return pick(random, ["a", "b", "q", "c"]);
  if (name === "keys") return ["a", "b", pick(random, texts)].slice(0, below(random, 4));
  if (name === "entries") return { a: anything(random, 1), [pick(random, texts)]: 1 };
  if (name === "fileName") return pick(random, fileNames);
  if (name === "timeout") return below(random, 3);
  if (name === "claim") return { id: "1", key: "a", token: 1 };
  if (name === "columns") return ["a"];
  if (schema.type === "integer") return 1 + below(random, 50);
  if (schema.type === "boolean") return chance(random, 2);
  return anything(random, 2);
}

function anything(random: Random, depth: number): unknown {
  const kind = below(random, depth > 0 ? 7 : 5);
  if (kind === 0) return pick(random, numbers);
  if (kind === 1) return chance(random, 2);
  if (kind === 2) return null;
  if (kind < 5) return pick(random, texts);
  if (kind === 5)
    return Array.from({ length: below(random, 4) }, () => anything(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length: below(random, 4) }, () => [
      pick(random, texts),
      anything(random, depth - 1),
    ]),
  );
}

function mutated(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let change = 0; change <= below(random, 4); change++) {
    const at = below(random, result.length + 1);
    const until = Math.min(result.length, at + below(random, 30));
    const kind = below(random, 5);
    if (kind === 0 && at < result.length) result[at] = below(random, 256);
    else if (kind === 1) result = result.subarray(0, at);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(until)]);
    else if (kind === 3) {
      result = Buffer.concat([result.subarray(0, until), result.subarray(at)]);
    } else {
      const noise = Buffer.from(
        Array.from({ length: below(random, 20) }, () => below(random, 256)),
      );
      result = Buffer.concat([result.subarray(0, at), noise, result.subarray(at)]);
    }
  }
  return result;
}
