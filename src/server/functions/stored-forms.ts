// Stored forms: values as they travel, one byte for their kind and their content, and as the served
// store keeps them, which knows text from bytes and no more.
//
// 1. Accepted are the kinds that every client of the serialization can read: `j`, `jt` or `jtb`; and
//    compressed values, which travel as bytes. What is said to be JSON is JSON.
// 2. Copies and restores bring whatever their source has kept, as they do everywhere.
// 3. Text of a store with the serialization "json" shows as `j`. When it is handed out for the last
//    time it does so only if it is JSON: the client looks at the rest before it lets go of it.

import { createHash } from "node:crypto";
import type { Stored } from "../../engine/stored.js";
import type { ValueFormat } from "../../kv/serialization/format.js";
import { type Argument, bytesOf } from "../resp/argument.js";
import type { FunctionReply } from "./function-reply.js";
import { refusal } from "./refusals.js";

const kindsOf: Readonly<Record<ValueFormat["name"], string>> = {
  json: "j",
  string: "jt",
  bytes: "jtb",
};

const kindBytes = "b".charCodeAt(0);
/** With it begin compressed values, and never text in UTF-8. */
const markByte = 0xff;

/** What the client is to look at first; the call has changed nothing. */
export class Unread extends Error {
  readonly reply: FunctionReply;

  constructor(reply: FunctionReply) {
    super("the client has to look at values first");
    this.reply = reply;
  }
}

export interface KeyedValue {
  readonly key: string;
  readonly value: Stored;
}

export class StoredForms {
  readonly serialization: ValueFormat["name"];
  readonly #format: ValueFormat;
  readonly #kinds: string;

  constructor(format: ValueFormat) {
    this.serialization = format.name;
    this.#format = format;
    this.#kinds = kindsOf[format.name];
  }

  /** @throws LibraryError for what the store cannot keep. */
  accept(argument: Argument): Stored {
    const stored = this.copied(argument);
    const kind = typeof stored === "string" ? (argument as string).charAt(0) : "b";
    const isKept = this.#kinds.includes(kind);
    if (isKept && (kind !== "j" || this.serialization !== "json")) return stored;
    const mayBeRead = isKept || (typeof stored !== "string" && stored[0] === markByte);
    if (mayBeRead && this.#isReadable(stored)) return stored;
    throw refusal("SERIALIZATION", this.serialization);
  }

  #isReadable(stored: Stored): boolean {
    try {
      this.#format.check(stored);
      return true;
    } catch {
      return false;
    }
  }

  /** A value of a copy, of a restore, or to compare with: of whatever kind. */
  copied(argument: Argument): Stored {
    if (typeof argument === "string") {
      const kind = argument[0];
      if (kind === "j" || kind === "t") return argument.slice(1);
      if (kind === "b") return new Uint8Array(Buffer.from(argument.slice(1)));
    } else if (argument[0] === kindBytes) return new Uint8Array(argument.subarray(1));
    throw refusal("REFUSED", "SerializerError a value begins with j, t or b; text is UTF-8");
  }

  show(stored: Stored | undefined): FunctionReply {
    if (stored === undefined) return "";
    if (typeof stored !== "string") return withKind(stored);
    return (this.serialization === "json" ? "j" : "t") + stored;
  }

  /** As `show`, for the last time. */
  showLast(stored: Stored): FunctionReply {
    if (typeof stored !== "string" || this.serialization !== "json") return this.show(stored);
    return (this.#isReadable(stored) ? "j" : "t") + stored;
  }

  /** @throws Unread with the values that the client neither trusts nor has looked at. */
  requireTrusted(entries: readonly KeyedValue[], trust: string): void {
    const kinds = /^[a-z]*/.exec(trust)?.[0] ?? "";
    const reply: FunctionReply[] = ["check"];
    for (const { key, value } of entries) {
      const shown = this.showLast(value);
      const kind = typeof value === "string" ? (shown as string).charAt(0) : "b";
      if (kinds.includes(kind) || isAmong(trust, kinds.length, shown)) continue;
      reply.push(key, shown);
    }
    if (reply.length > 1) throw new Unread(reply);
  }
}

function isAmong(trust: string, from: number, shown: FunctionReply): boolean {
  if (trust.length === from) return false;
  const digest = createHash("sha1").update(shown as string | Uint8Array);
  return trust.includes(digest.digest("hex"), from);
}

function withKind(stored: Uint8Array): Uint8Array {
  const shown = Buffer.allocUnsafe(stored.length + 1);
  shown[0] = kindBytes;
  shown.set(stored, 1);
  return shown;
}

/** Whether the contents are the same bytes. */
export function sameContent(a: Stored, b: Stored): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}
