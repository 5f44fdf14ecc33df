// HTTP transport: the same calls to the HTTP door of `anykv serve`, for a k6 that has nothing but HTTP.
//
//   POST <url>/v1/fcall/<operation>   { "tag": "anykv:{:0}", "args": [...] }
//   200                               { "reply": ... }, or { "refusal": "ANYKV_..." }
//   POST <url>/v1/<file operation>    its options
//   200                               { "result": ... }
//   otherwise                         { "error": { "name": ..., "message": ... } }
//
// k6 counts these requests among the script's own. As far as it allows they stand apart: they are
// neither expected nor failed (no `http_req_failed`, no tag `expected_response`), and have the tags
// `anykv` and `name`.

import http, { type Params, type Response } from "k6/http";
import {
  errorClasses,
  InvalidOptionsError,
  type KvError,
  ServerAccessError,
  ServerUnsuitableError,
} from "../base/errors.js";
import type { Argument, Reply } from "../remote/connection.js";
import { isRepeatable, type Operation, operationTable } from "../remote/operation-table.js";
import { failed } from "./failures.js";
import { replyError, type Transport, textOf } from "./transport.js";

const httpUrl = /^https?:\/\/[^?#]+$/;
/** k6 has no request without end. */
const endlessMs = 24 * 3_600_000;

export function isHttpUrl(url: string): boolean {
  return /^https?:/.test(url);
}

interface Answer {
  readonly reply?: Reply;
  readonly refusal?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export class HttpTransport implements Transport {
  readonly at: string;
  readonly #url: string;
  readonly #params: Params;

  /** @throws InvalidOptionsError */
  constructor(url: string, token: string | undefined, timeoutMs: number) {
    if (!httpUrl.test(url)) {
      throw new InvalidOptionsError('option "url" must be http://host:port or https://host:port', {
        hint: "without parameters; the token is an option of its own",
      });
    }
    this.#url = url.replace(/\/+$/, "");
    this.at = `anykv at ${this.#url.replace(/^\w+:\/\//, "").replace(/^.*@/, "")}`;
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    this.#params = {
      headers: { "Content-Type": "application/json", ...authorization },
      tags: { anykv: "true", name: "anykv" },
      timeout: timeoutMs === 0 ? endlessMs : timeoutMs,
      redirects: 0,
      responseType: "text",
      responseCallback: null,
    };
  }

  async call(operation: string, tag: string, args: readonly Argument[]): Promise<Reply> {
    const response = await this.#post(`fcall/${operation}`, operation, { tag, args });
    const answer = answerIn(response.body);
    if (response.status === 200 && answer?.reply !== undefined) return answer.reply;
    const refusal = answer?.refusal ?? answer?.error;
    if (typeof refusal === "string") throw replyError(refusal);
    throw this.#refused(operation, response, answer?.error);
  }

  async run(operation: string, _tag: string, request: object): Promise<object> {
    const response = await this.#post(operation, operation, request);
    const answer = answerIn(response.body);
    if (response.status === 200 && answer?.result !== undefined) return Object(answer.result);
    throw this.#refused(operation, response, answer?.error);
  }

  async #post(path: string, operation: string, body: object): Promise<Response> {
    let response: Response;
    try {
      const [url, text] = [`${this.#url}/v1/${path}`, JSON.stringify(body)];
      response = await http.asyncRequest("POST", url, text, this.#params);
    } catch (failure) {
      throw this.#failed(operation, textOf(failure));
    }
    if (response.status === 0) throw this.#failed(operation, response.error);
    return response;
  }

  /** The error behind an answer that is none of a store. */
  #refused(operation: string, { status }: Response, error: unknown): Error {
    const { name, message, key, hint, errors } = Object(error) as Partial<KvError>;
    const isOfStore = name !== undefined && Object.hasOwn(errorClasses, name) && status !== 401;
    if (isOfStore && (status !== 403 || name === "StoreReadOnlyError")) {
      const given = Object.entries({ key, hint, errors }).filter(
        ([, value]) => value !== undefined,
      );
      return new errorClasses[name](String(message), Object.fromEntries(given));
    }
    if (status === 401 || status === 403) {
      return new ServerAccessError(`${this.at}: refuses the token (HTTP ${status})`, {
        hint: "give `token`, or ANYKV_TOKEN in the environment, as the server was started with",
      });
    }
    // A gateway has answered, and nobody knows what it has passed on.
    if (status >= 500) return this.#failed(operation, `HTTP ${status}`);
    return new ServerUnsuitableError(`${this.at}: HTTP ${status}, and no reply of a store`, {
      hint: "the URL must be that of the HTTP door of `anykv serve`",
    });
  }

  #failed(operation: string, text: string): Error {
    const isRead =
      operation === "version" ||
      (Object.hasOwn(operationTable, operation) && isRepeatable(operation as Operation));
    return failed({ at: this.at, operation, text, isRead });
  }
}

function answerIn(body: string | null): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(body ?? "");
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}
