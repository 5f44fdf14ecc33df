// Redis transport: calls by FCALL over `k6/x/redis`, to Valkey, to Redis from 7.0 on, or to
// `anykv serve`.
//
// The module is asked for by `require` when a store is opened, so that a k6 without it can use the
// other transport. k6 sees that it was asked for, and provides it where it can.
//
// The client under it retries by itself, also what has been carried out and whose answer was late:
// that is turned off (`max_retries=-1`). It connects with the first call and never in the init context.

import {
  InvalidOptionsError,
  type KvError,
  ServerUnsuitableError,
  UnexpectedStoreOutputError,
} from "../base/errors.js";
import type { Argument, Reply } from "../remote/connection.js";
import { libraryWith } from "../remote/library.js";
import { isRepeatable, type Operation, operationTable } from "../remote/operation-table.js";
import { textIn } from "../remote/replies.js";
import { failed } from "./failures.js";
import { replyError, type Transport, textOf } from "./transport.js";

interface RedisClient {
  sendCommand(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
}

interface RedisModule {
  readonly Client?: new (url: string) => RedisClient;
}

/** One for several calls at a time, and one that is left when another has been given up. */
const poolSize = 2;

const redisUrl = /^(valkeys?|rediss?):\/\/([^?#]*)(?:\?([^#]*))?$/;
const schemes: Readonly<Record<string, string>> = { valkey: "redis", valkeys: "rediss" };

/** Whether the URL is one for this transport. */
export function isRedisUrl(url: string): boolean {
  return redisUrl.test(url);
}

/** The URL with what the client needs to be safe; what it says itself stays. */
export function safeUrl(url: string, timeoutMs: number): string {
  const [, scheme = "", place = "", given = ""] = redisUrl.exec(url) ?? [];
  if (/^(?:[^@]*@)?(?:[:/]|$)/.test(place)) {
    throw new InvalidOptionsError('option "url" must name a host');
  }
  const parameters = given.split("&").filter((parameter) => parameter !== "");
  const named = (name: string): boolean => parameters.some((each) => each.startsWith(`${name}=`));
  if (named("max_retries")) {
    throw new InvalidOptionsError('option "url" must not set max_retries', {
      hint: "a call that is sent again may be carried out twice",
    });
  }
  const safe = {
    max_retries: "-1",
    read_timeout: timeoutMs === 0 ? "-1" : `${timeoutMs}ms`,
    pool_size: String(poolSize),
  };
  for (const [name, value] of Object.entries(safe)) {
    if (!named(name)) parameters.push(`${name}=${value}`);
  }
  return `${schemes[scheme] ?? scheme}://${place}?${parameters.join("&")}`;
}

const clients = new Map<string, RedisClient>();

/** One client for each server in each virtual user. */
function clientOf(url: string): RedisClient | undefined {
  const known = clients.get(url);
  if (known !== undefined) return known;
  // Not by its name alone: a bundler would take it for its own.
  const load = (globalThis as unknown as { require(name: string): RedisModule }).require;
  const { Client } = load("k6/x/redis");
  // k6 ends the test itself when it cannot provide the module.
  if (Client === undefined) return undefined;
  const client = new Client(url);
  clients.set(url, client);
  return client;
}

export class RedisTransport implements Transport {
  readonly at: string;
  readonly #client: RedisClient | undefined;

  /** @throws InvalidOptionsError for an URL that the client does not take. */
  constructor(url: string, timeoutMs: number) {
    this.at = `valkey at ${url.replace(/^\w+:\/\//, "").replace(/^.*@|[?#].*$/g, "")}`;
    const safe = safeUrl(url, timeoutMs);
    try {
      this.#client = clientOf(safe);
    } catch (cause) {
      // The text may repeat a password, so it is not shown.
      throw new InvalidOptionsError('option "url" is none that k6/x/redis takes', {
        hint: "an URL is redis://[user:password@]host[:port][/database], or rediss:// with TLS",
        cause: new Error(textOf(cause).replace(/:\/\/[^@]*@/g, "://...@")),
      });
    }
  }

  ask(command: string, args: readonly string[]): Promise<unknown> {
    return this.#send("command", true, command, args);
  }

  call(operation: string, tag: string, args: readonly Argument[]): Promise<Reply> {
    // A text-only store has no bytes to send.
    const texts = args as readonly (string | number)[];
    const words = [`${libraryWith("server").name}_${operation}`, 1, `${tag}:v`, ...texts];
    return this.#send(operation, isRead(operation), "FCALL", words) as Promise<Reply>;
  }

  /** A call with one argument, the request in JSON; so is the reply. */
  async run(operation: string, tag: string, request: object): Promise<object> {
    const reply = await this.call(operation, tag, [JSON.stringify(request)]);
    try {
      return Object(JSON.parse(textIn(reply)));
    } catch (cause) {
      throw new UnexpectedStoreOutputError("the server's reply is not JSON", { cause });
    }
  }

  async #send(
    operation: string,
    isReadOnly: boolean,
    command: string,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#client?.sendCommand(command, ...args);
    } catch (failure) {
      throw this.#errorOf(textOf(failure), operation, isReadOnly);
    }
  }

  #errorOf(text: string, operation: string, isReadOnly: boolean): Error {
    if (/^(?:MOVED|ASK) /.test(text)) return clusterError(this.at);
    // Error replies begin with a code in capitals; so does EOF, which is none.
    if (/^(?:[A-Z][A-Z_]+ |ANYKV_)/.test(text)) return replyError(text);
    return failed({ at: this.at, operation, text, isRead: isReadOnly });
  }
}

function clusterError(at: string): KvError {
  return new ServerUnsuitableError(`${at} is part of a cluster, which the k6 module cannot use`, {
    hint: "put `anykv serve` before it, or use a server that stands alone",
  });
}

function isRead(operation: string): boolean {
  if (operation === "version") return true;
  return Object.hasOwn(operationTable, operation) && isRepeatable(operation as Operation);
}
