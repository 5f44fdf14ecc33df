// HTTP client: each method of `Kv` as the POST that the door describes, for the conformance suite.
//
// What JSON cannot carry is handled as any client has to: values that it would change go through the
// library's own encoding, which refuses them, and other arguments are sent as text, which the door
// refuses. Every answer is compared with its schema and its status with the table of errors.

import { Agent, type IncomingMessage, request } from "node:http";
import { isDeepStrictEqual } from "node:util";
import {
  errorClasses,
  InvalidOptionsError,
  type Kv,
  type KvError,
  OperationCanceledError,
  StoreClosedError,
} from "anykv";
import { statusOf } from "../../../src/base/error-statuses.js";
import { checkText, isPlainObject } from "../../../src/kv/arguments.js";
import { encodeEntries } from "../../../src/kv/entries-argument.js";
import { filterOperationNames, operationNames } from "../../../src/kv/operation-names.js";
import { formatOf } from "../../../src/kv/serialization/format.js";
import { resultSchema } from "../../../src/server/http/openapi.js";
import type { HttpOperation, Parameter } from "../../../src/server/http/operation.js";
import { httpOperations } from "../../../src/server/http/operation-table.js";
import type { Schema } from "../../../src/server/http/schema.js";
import { resolve, schemaFaults } from "./schema-check.js";

type Serialization = "json" | "string" | "bytes";
type Body = Record<string, unknown>;
type Method = (...parameters: unknown[]) => Promise<unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface ClientOptions {
  readonly url: string;
  readonly serialization: Serialization;
  readonly token?: string;
  /** Names of files on the way there, and back. */
  readonly fileNames?: { toDoor(name: string): string; fromDoor(text: string): string };
}

const byName = new Map(httpOperations.map((operation) => [operation.name, operation]));
const sameName = { toDoor: (name: string) => name, fromDoor: (text: string) => text };

export class HttpClient {
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #closer = new AbortController();
  readonly #underway = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** An object with the methods of `Kv`. */
  kv(): Kv {
    const own = {
      filter: (bucket: string) => this.#filter(bucket),
      close: () => this.close(),
      [Symbol.asyncDispose]: () => this.close(),
    };
    return Object.assign(this.#methods(operationNames, []), own) as unknown as Kv;
  }

  /** What is under way settles, but for what waits. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closer.abort();
    await Promise.allSettled(this.#underway);
    this.#agent.destroy();
  }

  #filter(bucket: string): object {
    checkText(bucket, "bucket", 256);
    return { bucket, ...this.#methods(filterOperationNames, [bucket]) };
  }

  #methods(names: Readonly<Record<string, string>>, before: unknown[]): Record<string, Method> {
    const methods = Object.entries(names).map(([method, name]) => {
      const operation = byName.get(name);
      if (operation === undefined) throw new Error(`the door has no ${name}`);
      const call: Method = (...parameters) => this.#call(operation, [...before, ...parameters]);
      return [method, call] as const;
    });
    return Object.fromEntries(methods);
  }

  async #call(operation: HttpOperation, parameters: readonly unknown[]): Promise<unknown> {
    const { body, signal } = this.#bodyOf(operation, parameters);
    if (this.#isClosed) throw new StoreClosedError("kv store handle is closed");
    if (signal?.aborted === true) throw canceled(signal);
    const posting = this.#post(operation, body, signal);
    this.#underway.add(posting);
    const answer = await posting.finally(() => this.#underway.delete(posting));
    const json = JSON.parse(answer.text) as { result?: unknown; error?: Body };
    if (answer.status !== 200) throw this.#errorOf(answer.status, json.error ?? {});
    const faults = schemaFaults(resultSchema(operation), json);
    if (faults.length > 0) throw new Error(`${operation.name}: ${faults.join(", ")}`);
    if (operation.target.method === "set") return parameters[1];
    const result =
      this.#options.serialization === "bytes"
        ? this.#decoded(operation.result, json.result)
        : json.result;
    return this.#named(result);
  }

  async #post(
    { name, pace }: HttpOperation,
    body: Body,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const signals = signal === undefined ? [] : [signal];
    if (pace === "waits") signals.push(this.#closer.signal);
    try {
      const ended = signals.length === 0 ? {} : { signal: AbortSignal.any(signals) };
      return await this.send("POST", `/v1/${name}`, JSON.stringify(body), ended);
    } catch (error) {
      if (signal?.aborted === true) throw canceled(signal);
      if (this.#isClosed && pace === "waits")
        throw new StoreClosedError("kv store handle is closed");
      throw error;
    }
  }

  /** One request as it is. */
  send(
    method: string,
    path: string,
    body?: string | Buffer,
    options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { url, token } = this.#options;
    const headers: Record<string, string> = {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...options.headers,
    };
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const given = { method, headers, agent: this.#agent, ...(signal && { signal }) };
      const sent = request(`${url}${path}`, given, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  #bodyOf(
    { parameters, file }: HttpOperation,
    given: readonly unknown[],
  ): { body: Body; signal: AbortSignal | undefined } {
    const body: Body = {};
    const places = parameters.filter(({ isOption }) => !isOption);
    places.forEach((parameter, index) => {
      if (index < given.length) this.#put(body, parameter, given[index]);
    });
    const options = given[places.length] ?? {};
    if (!isPlainObject(options)) throw new InvalidOptionsError("options must be a plain object");
    const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
    for (const [name, value] of Object.entries(options)) {
      if (name === "signal" || name === "onProgress") continue;
      const parameter = known.get(name);
      if (parameter !== undefined) this.#put(body, parameter, value);
      else if (value !== undefined) body[name] = value;
    }
    const { fileNames = sameName } = this.#options;
    if (file !== undefined && typeof body.fileName === "string") {
      body.fileName = fileNames.toDoor(body.fileName);
    }
    return { body, signal: options.signal as AbortSignal | undefined };
  }

  #put(body: Body, { name, holds }: Parameter, value: unknown): void {
    if (holds === "value") body[name] = this.#encoded(value);
    else if (holds === "entries") body[name] = this.#encodedEntries(value);
    else if (value instanceof Uint8Array) body[name] = { base64: base64Of(value) };
    // An empty pool: undefined has no JSON, and must not make a guarded write an unguarded one.
    else if (value === undefined) {
      if (name === "claim") body[name] = null;
      if (name === "delta") body[name] = "undefined";
    } else body[name] = isCarried(value) ? value : String(value);
  }

  #encoded(value: unknown): unknown {
    const { serialization } = this.#options;
    if (value === undefined && serialization !== "bytes") return null;
    if (value === null) return null;
    if (serialization === "bytes") {
      formatOf(serialization).encode(value);
      return base64Of(value as Uint8Array);
    }
    if (isCarried(value)) return value;
    const stored = formatOf(serialization).encode(value);
    return serialization === "json" ? JSON.parse(String(stored)) : stored;
  }

  #encodedEntries(entries: unknown): unknown {
    const { serialization } = this.#options;
    if (isCarried(entries) && serialization !== "bytes") return entries;
    encodeEntries(entries, formatOf(serialization), false);
    const encoded: Record<string, unknown> = Object.create(null);
    for (const [key, value] of Object.entries(entries as object))
      encoded[key] = this.#encoded(value);
    return encoded;
  }

  /** Bytes where the schema has a value. */
  #decoded(schema: Schema, json: unknown): unknown {
    if (schema.$ref === "#/components/schemas/Value") {
      return typeof json === "string" ? new Uint8Array(Buffer.from(json, "base64")) : json;
    }
    const { oneOf, items, properties } = resolve(schema);
    if (oneOf !== undefined) {
      const fitting = oneOf.find((one) => schemaFaults(one, json).length === 0);
      return this.#decoded(fitting ?? {}, json);
    }
    if (Array.isArray(json)) return json.map((item) => this.#decoded(items ?? {}, item));
    if (typeof json !== "object" || json === null) return json;
    const parts = Object.entries(json).map(([name, part]) => {
      return [name, this.#decoded(properties?.[name] ?? {}, part)];
    });
    return Object.fromEntries(parts);
  }

  #named(result: unknown): unknown {
    if (typeof result !== "object" || result === null || !("fileName" in result)) return result;
    const { fileNames = sameName } = this.#options;
    return { ...result, fileName: fileNames.fromDoor(String(result.fileName)) };
  }

  #errorOf(status: number, error: Body): Error {
    const name = error.name as keyof typeof errorClasses;
    if (!Object.hasOwn(errorClasses, name)) return new Error(`no error of ours: ${String(name)}`);
    if (name !== "RequestRefusedError" && statusOf[name] !== status) {
      return new Error(`${name} came with the status ${status}`);
    }
    const { fileNames = sameName } = this.#options;
    const { message, name: _name, code, ...details } = error;
    const made: KvError = new errorClasses[name](fileNames.fromDoor(String(message)), details);
    if (made.code !== code) return new Error(`${name} came with the code ${String(code)}`);
    return made;
  }
}

function isCarried(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value) || Object.is(value, -0);
  } catch {
    return false;
  }
}

function base64Of(bytes: Uint8Array | ArrayBuffer): string {
  const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

function canceled({ reason }: AbortSignal): KvError {
  const text = reason instanceof Error ? reason.message : String(reason);
  return new OperationCanceledError(`operation was canceled: ${text}`, { cause: reason });
}
