// Options of `openKv`: checked, completed with defaults, and compared.
//
// `KvOptions` is the normal form: two calls ask for the same store exactly when their normal forms
// are equivalent, however they spelled their durations, sizes and paths.

import { resolve } from "node:path";
import {
  InvalidBackendError,
  InvalidOptionsError,
  InvalidSerializationError,
} from "../../base/errors.js";
import { keyBytesMax } from "../../base/limits.js";
import { type Env, nodeEnv } from "../../env/env.js";
import type { ValkeySettings } from "../../remote/valkey/valkey-settings.js";
import {
  booleanField,
  checkText,
  type Fields,
  field,
  fieldsOf,
  refuse,
  textField,
} from "../arguments.js";
import { backends, choice, group, serializations, shardCount } from "./choices.js";
import { defaultPathOf } from "./default-path.js";
import { type DiskOptions, type DiskSettings, diskSettings } from "./disk-options.js";
import { type MetricsOptions, type MetricsSettings, metricsSettings } from "./metrics-options.js";
import { checkOpenNames } from "./open-names.js";
import { type SharedOptions, type SharedSettings, sharedSettings } from "./shared-options.js";
import { isServerUrl } from "./valkey-address.js";
import { differingValkeyOptions, type ValkeyOptions, valkeySettings } from "./valkey-options.js";
import {
  differingWalOptions,
  progressOption,
  type WalOptions,
  type WalSettings,
  walSettings,
} from "./wal-options.js";

export type Backend = (typeof backends)[number];
export type Serialization = (typeof serializations)[number];

export interface OpenKvOptions {
  /** A store of its own, with options of its own; absent: the store of this process. */
  name?: string | undefined;
  /** Default "disk". */
  backend?: Backend | undefined;
  /**
   * Where the backend keeps its files: default "./.anykv" for disk and "./.anykv.wal" for wal, and
   * "-" with the escaped name behind it where the store has one. Ignored by memory, shared and
   * valkey.
   */
  path?: string | undefined;
  /** How values are stored; default "json". */
  serialization?: Serialization | undefined;
  /** Keep the ordered key index from the start; default false: when it is first asked for. */
  trackKeys?: boolean | undefined;
  memory?: MemoryOptions | undefined;
  disk?: DiskOptions | undefined;
  shared?: SharedOptions | undefined;
  wal?: WalOptions | undefined;
  valkey?: ValkeyOptions | undefined;
  metrics?: MetricsOptions | undefined;
  /** Clock, randomness, timers and files; for tests. */
  env?: Env | undefined;
}

export interface MemoryOptions {
  /**
   * Shards of the seeds' memory backend. One thread needs none, so it changes nothing here; it
   * takes part in comparing options, so that scripts meet the same conflicts.
   */
  shardCount?: number | undefined;
}

export interface KvOptions extends MetricsSettings {
  readonly name: string | undefined;
  readonly backend: Backend;
  /** Absolute; "" for backends without files. */
  readonly path: string;
  readonly serialization: Serialization;
  readonly trackKeys: boolean;
  /** 0 stands for automatic. */
  readonly shardCount: number;
  readonly disk: DiskSettings;
  readonly shared: SharedSettings;
  readonly wal: WalSettings;
  /** undefined for every other backend. */
  readonly valkey: ValkeySettings | undefined;
  /** Takes no part in comparing options: it is what one caller wants to hear, not what the store is. */
  readonly onProgress: WalOptions["onProgress"];
  readonly env: Env;
}

/** @throws InvalidOptionsError, InvalidBackendError, InvalidSerializationError */
export function normalizeOptions(options: unknown): KvOptions {
  const fields = fieldsOf(options);
  const backend = choice(fields, "backend", backends, "disk", InvalidBackendError);
  const name = field(fields, "name");
  if (name !== undefined) checkText(name, 'option "name"', keyBytesMax);
  // What is in them counts for its own backend only, but they have to be objects for every one.
  const memory = group(fields, "memory");
  const disk = group(fields, "disk");
  const shared = group(fields, "shared");
  const wal = group(fields, "wal");
  const valkey = valkeyGroup(fields);
  const metrics = group(fields, "metrics");
  checkOpenNames(fields, { memory, disk, shared, wal, valkey, metrics });
  return {
    name,
    backend,
    path: backend === "wal" || backend === "disk" ? pathOption(fields, backend, name) : "",
    serialization: choice(
      fields,
      "serialization",
      serializations,
      "json",
      InvalidSerializationError,
    ),
    trackKeys: booleanField(fields, "trackKeys", false),
    shardCount: backend === "memory" ? shardCount(memory) : 0,
    disk: backend === "disk" ? diskSettings(disk) : {},
    shared: sharedSettings(backend === "shared" ? shared : {}),
    wal: backend === "wal" ? walSettings(wal) : {},
    valkey: backend === "valkey" ? valkeySettings(valkey) : undefined,
    onProgress: backend === "wal" ? progressOption(wal) : undefined,
    ...metricsSettings(metrics),
    env: envOption(field(fields, "env")),
  };
}

/** What is refused may be an URL with a password in it. */
function valkeyGroup(fields: Fields): Fields {
  const given = field(fields, "valkey");
  if (typeof given !== "string") return group(fields, "valkey");
  throw new InvalidOptionsError('option "valkey" must be a plain object, got a text', {
    hint: 'write an URL as `valkey: { url: "..." }`',
  });
}

function pathOption(fields: Fields, backend: "wal" | "disk", name: string | undefined): string {
  const path = textField(fields, "path")?.trim() ?? "";
  if (isServerUrl(path)) {
    throw new InvalidOptionsError('option "path" must be a path, got the URL of a server', {
      hint: 'write `backend: "valkey", valkey: { url: "..." }`; a file of such a name is ./NAME',
    });
  }
  if (path.includes("\0")) refuse('option "path"', "a path without NUL characters", path);
  return resolve(path === "" ? defaultPathOf(backend, name) : path);
}

/** @throws InvalidOptionsError */
export function envOption(env: unknown): Env {
  if (env === undefined) return nodeEnv;
  if (typeof env === "object" && env !== null && "clock" in env && "timers" in env) {
    return env as Env;
  }
  throw new InvalidOptionsError('option "env" must be an Env');
}

/** The names of the options in which two normal forms differ. */
export function differingOptions(a: KvOptions, b: KvOptions): string[] {
  const names = ["backend", "path", "serialization", "trackKeys", "shardCount"] as const;
  const differing: string[] = names.filter((name) => a[name] !== b[name]);
  if (JSON.stringify(a.disk) !== JSON.stringify(b.disk)) differing.push("disk");
  if (a.shared.timeoutMs !== b.shared.timeoutMs) differing.push("shared.timeout");
  differing.push(...differingWalOptions(a.wal, b.wal));
  differing.push(...differingValkeyOptions(a.valkey, b.valkey));
  if (a.operationMetrics !== b.operationMetrics) differing.push("metrics.operations");
  if (a.env !== b.env) differing.push("env");
  return differing;
}
