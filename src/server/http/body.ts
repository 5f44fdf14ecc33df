// Body: the JSON of a request, bounded in size and depth.
//
// Objects come from `JSON.parse` and are never merged into others: a member `__proto__` is a member
// like any other, and changes nobody's prototype.

import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { type Fields, isPlainObject } from "../../kv/arguments.js";
import { type Refusal, refused } from "./refusal.js";

/** How deep arrays and objects may lie in each other: what writes them again goes down as deep. */
export const jsonLevelsMax = 500;

/** The caller has hung up in the middle of a request: there is nobody to tell anything. */
export class Disconnected extends Error {}

/** What is thrown away of a body that is refused, so that whoever sends it hears why. */
const discardedBytesMax = 16_777_216;

const jsonType = /^application\/json *(?:; *charset *= *"?utf-8"? *)?$/i;
const noFields: Fields = Object.freeze({});

/** The members of the body; an empty one has none. @throws Refusal, Disconnected */
export async function readFields(request: IncomingMessage, bytesMax: number): Promise<Fields> {
  requireJson(request);
  const bytes = await readBytes(request, bytesMax);
  if (bytes.length === 0) return noFields;
  const json = parse(bytes);
  if (isPlainObject(json)) return json;
  throw refused(400, "the body must be a JSON object of named arguments");
}

function requireJson({ headers }: IncomingMessage): void {
  const type = headers["content-type"];
  // Also without a body: a page of another origin cannot send this type unasked.
  if (type !== "application/json" && !jsonType.test(type ?? "")) {
    throw refused(415, "the body must be JSON in UTF-8", "Content-Type: application/json");
  }
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw refused(415, "the body must not be compressed", undefined, {
    "Accept-Encoding": "identity",
  });
}

function tooLarge(bytesMax: number): Refusal {
  return refused(413, `the body must be at most ${bytesMax} bytes`);
}

/** Whatever comes after a refusal is thrown away, and the connection with it if that is too much. */
function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    let isRefused = false;
    const refuse = (): void => {
      isRefused = true;
      chunks = [];
      reject(tooLarge(bytesMax));
    };
    if (Number(request.headers["content-length"]) > bytesMax) refuse();
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax && !isRefused) chunks.push(chunk);
      else if (length > bytesMax + discardedBytesMax) request.destroy();
      else refuse();
    });
    request.on("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
    const hungUp = (): void => {
      // The request is closed after its end, too.
      if (!request.complete) reject(new Disconnected("the caller has hung up"));
    };
    request.on("close", hungUp);
    request.on("error", hungUp);
  });
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw refused(400, "the body is not UTF-8");
  // So short a text cannot be deeper.
  if (bytes.length > jsonLevelsMax) requireShallow(bytes);
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw refused(400, `the body is no JSON: ${(cause as Error).message.slice(0, 200)}`);
  }
}

const [quote, backslash, bracket, brace, bracketEnd, braceEnd] = [
  0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d,
];

function requireShallow(bytes: Buffer): void {
  let levels = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === backslash) at++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === bracket || byte === brace) {
      if (++levels > jsonLevelsMax) {
        throw refused(400, `the body must be nested at most ${jsonLevelsMax} levels`);
      }
    } else if (byte === bracketEnd || byte === braceEnd) levels--;
  }
}
