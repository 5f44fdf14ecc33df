// HTTP transport: the same calls to the HTTP door of `anykv serve`, for a k6 that has nothing but HTTP.
//
//   POST <url>/v1/fcall/<operation>   { "tag": "anykv:{:0}", "args": [...] }
//   200                               { "reply": ... }, or { "refusal": "ANYKV_..." }
//
// k6 counts these requests among the script's own. As far as it allows they stand apart: they are
// neither expected nor failed (no `http_req_failed`, no tag `expected_response`), and have the tags
// `anykv` and `name`.

import http, { type Params, type Response } from "k6/http";
import { InvalidOptionsError, ServerAccessError, ServerUnsuitableError } from "../base/errors.js";
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
    const url = `${this.#url}/v1/fcall/${operation}`;
    const body = JSON.stringify({ tag, args });
    let response: Response;
    try {
      response = await http.asyncRequest("POST", url, body, this.#params);
    } catch (failure) {
      throw this.#failed(operation, textOf(failure));
    }
    if (response.status === 0) throw this.#failed(operation, response.error);
    return this.#replyIn(operation, response);
  }

  #replyIn(operation: string, { status, body }: Response): Reply {
    const answer = answerIn(body);
    if (status === 200 && answer?.reply !== undefined) return answer.reply;
    const refusal = answer?.refusal ?? answer?.error;
    if (typeof refusal === "string") throw replyError(refusal);
    if (status === 401 || status === 403) {
      throw new ServerAccessError(`${this.at}: refuses the token (HTTP ${status})`, {
        hint: "give `token`, or ANYKV_TOKEN in the environment, as the server was started with",
      });
    }
    if (status === 404) throw replyError("ERR Function not found");
    if (answer?.error !== undefined) throw namedRefusal(answer.error);
    // A gateway has answered, and nobody knows what it has passed on.
    if (status >= 500) throw this.#failed(operation, `HTTP ${status}`);
    throw new ServerUnsuitableError(`${this.at}: HTTP ${status}, and no reply of a store`, {
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

/** An error as the door tells it, `{ name, message }`, in the form of the library. */
function namedRefusal(error: unknown): Error {
  const { name, message } = Object(error) as { name?: unknown; message?: unknown };
  return replyError(`ANYKV_REFUSED ${String(name)} ${String(message)}`);
}
