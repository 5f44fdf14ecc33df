// Options of `openKv` in k6: those of the seeds, which say what the store is called and how values
// are stored, and those that say where the server is.
//
// What belongs to files of a seed's store (`path`, `memory`, `disk`) is checked as there, takes part
// in comparing options, and changes nothing else, `disk.readOnly` excepted.

import {
  InvalidBackendError,
  InvalidOptionsError,
  InvalidSerializationError,
} from "../base/errors.js";
import { keyBytesMax, partitionsMax, storePrefixBytesMax } from "../base/limits.js";
import {
  booleanField,
  checkText,
  countField,
  type Fields,
  fieldsOf,
  refuse,
  textField,
} from "../kv/arguments.js";
import { namesOf, warnOfNames } from "../kv/option-names.js";
import { backends, choice, group, serializations, shardCount } from "../kv/options/choices.js";
import { type DiskSettings, diskNames, diskSettings } from "../kv/options/disk-options.js";
import { parseDuration } from "../kv/options/duration.js";
import { isHttpUrl } from "./http-transport.js";
import type { OpenKvOptions } from "./k6.js";
import { isRedisUrl } from "./redis-transport.js";

export const transports = ["redis", "http"] as const;

export interface K6Options {
  readonly name: string | undefined;
  readonly backend: (typeof backends)[number];
  readonly path: string;
  readonly serialization: "json" | "string";
  readonly trackKeys: boolean;
  readonly shardCount: number;
  readonly disk: DiskSettings;
  readonly operationMetrics: boolean;
  readonly url: string;
  readonly transport: (typeof transports)[number];
  readonly token: string | undefined;
  readonly prefix: string;
  readonly partitions: number;
  readonly commandTimeoutMs: number;
}

const openNames = namesOf<OpenKvOptions>({
  name: true,
  backend: true,
  path: true,
  serialization: true,
  trackKeys: true,
  memory: true,
  disk: true,
  metrics: true,
  url: true,
  transport: true,
  token: true,
  prefix: true,
  partitions: true,
  commandTimeout: true,
});
const memoryNames = namesOf<{ shardCount: number }>({ shardCount: true });
const metricsNames = namesOf<{ operations: boolean }>({ operations: true });

const defaultPath = ".k6.kv";
const commandTimeoutMsDefault = 10_000;

/** @throws InvalidOptionsError, InvalidBackendError, InvalidSerializationError */
export function k6Options(given: unknown): K6Options {
  const fields = fieldsOf(given);
  const [memory, disk] = [group(fields, "memory"), group(fields, "disk")];
  const metrics = group(fields, "metrics");
  warnOfNames(fields, openNames, "openKv");
  warnOfNames(memory, memoryNames, "openKv", { group: "memory.", paths: [] });
  warnOfNames(disk, diskNames, "openKv", { group: "disk.", paths: [] });
  warnOfNames(metrics, metricsNames, "openKv", { group: "metrics.", paths: [] });
  const backend = choice(fields, "backend", backends, "disk", InvalidBackendError);
  const hasFiles = backend === "disk" || backend === "wal";
  return {
    name: nameOption(fields),
    backend,
    path: hasFiles ? cleaned(textField(fields, "path")?.trim() ?? "") : "",
    serialization: serializationOption(fields),
    trackKeys: booleanField(fields, "trackKeys", false),
    shardCount: backend === "memory" ? shardCount(memory) : 0,
    disk: backend === "disk" ? diskSettings(disk) : {},
    operationMetrics: booleanField(metrics, "operations", false, "metrics.operations"),
    ...serverOptions(fields),
  };
}

function nameOption(fields: Fields): string | undefined {
  const name = textField(fields, "name");
  if (name !== undefined) checkText(name, 'option "name"', keyBytesMax);
  return name;
}

function serializationOption(fields: Fields): "json" | "string" {
  const found = choice(fields, "serialization", serializations, "json", InvalidSerializationError);
  if (found !== "bytes") return found;
  throw new InvalidSerializationError('serialization "bytes" cannot be had in k6', {
    hint: "k6/x/redis carries text alone: store text made from the bytes, as base64",
  });
}

/** Without "." and what ".." takes back; there is no working directory to begin with. */
function cleaned(path: string): string {
  if (path.includes("\0")) refuse('option "path"', "a path without NUL characters", path);
  const parts: string[] = [];
  for (const part of (path === "" ? defaultPath : path).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

type ServerOptions = Pick<
  K6Options,
  "url" | "transport" | "token" | "prefix" | "partitions" | "commandTimeoutMs"
>;

function serverOptions(fields: Fields): ServerOptions {
  const url = textField(fields, "url") ?? __ENV.ANYKV_URL ?? "";
  const transport = transportOption(fields, url);
  const prefix = textField(fields, "prefix") ?? "anykv";
  checkText(prefix, 'option "prefix"', storePrefixBytesMax);
  if (/[{}]/.test(prefix)) refuse('option "prefix"', "a text without braces", prefix);
  const timeout = fields.commandTimeout ?? undefined;
  return {
    url,
    transport,
    token: textField(fields, "token") ?? __ENV.ANYKV_TOKEN,
    prefix,
    partitions: countField(fields, "partitions", partitionsMax) ?? 1,
    commandTimeoutMs:
      timeout === undefined ? commandTimeoutMsDefault : parseDuration(timeout, "commandTimeout"),
  };
}

/** By the URL, which an option may confirm. */
function transportOption(fields: Fields, url: string): K6Options["transport"] {
  if (url === "") {
    throw new InvalidOptionsError("no server: the store of a k6 script lives in one", {
      hint:
        "run `anykv serve` or Valkey, and give its URL as `url`, or to all scripts with " +
        "`k6 run -e ANYKV_URL=redis://127.0.0.1:6379`",
    });
  }
  const byUrl = isHttpUrl(url) ? "http" : "redis";
  if (byUrl === "redis" && !isRedisUrl(url)) {
    throw new InvalidOptionsError('option "url" is none of a server', {
      hint: url.startsWith("unix:")
        ? "k6 connects by TCP alone: give the server a port, and redis://host:port here"
        : "it begins with redis://, rediss:// (TLS), http:// or https://",
    });
  }
  const transport = choice(fields, "transport", transports, byUrl, InvalidOptionsError);
  if (transport === byUrl) return transport;
  throw new InvalidOptionsError(`option "transport" is ${transport}, and the URL is not`, {
    hint: "leave `transport` out: the URL decides",
  });
}

/** The names of the options in which two normal forms differ. */
export function differingOptions(a: K6Options, b: K6Options): string[] {
  const names = Object.keys(a) as (keyof K6Options)[];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}
