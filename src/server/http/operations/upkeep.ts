// Expiry, diagnostics, and files.

import { basename } from "node:path";
import { fileBatchRowsMax, fileRowsMax } from "../../../base/limits.js";
import type { KvStats } from "../../../kv/types.js";
import {
  argument,
  guard,
  type HttpOperation,
  kvOperation,
  option,
  type Parameter,
  requiredOption,
} from "../operation.js";
import {
  boolean,
  count,
  integer,
  key,
  listOf,
  number,
  object,
  orNull,
  type Schema,
  text,
  ttl,
  yes,
} from "../schema.js";

type Method = Parameters<typeof kvOperation>[1];
type Details = Parameters<typeof kvOperation>[2];
const expiry = (method: Method, details: Details): HttpOperation =>
  kvOperation("Expiry", method, details);
const diagnostic = (method: Method, details: Details): HttpOperation =>
  kvOperation("Diagnostics", method, details);
const files = (method: Method, details: Omit<Details, "access" | "pace">): HttpOperation =>
  kvOperation("Files", method, { access: "write", pace: "works", ...details });

const theKey = argument("key", key, "the key of a value or an array");
const prefix = option("prefix", text, "only keys that begin with it");

export const expiryOperations: readonly HttpOperation[] = [
  expiry("expire", {
    access: "write",
    summary: "Lets a key vanish `ttl` milliseconds from now; false when it is missing.",
    parameters: [theKey, argument("ttl", ttl, "milliseconds from now"), guard],
    result: boolean,
  }),
  expiry("ttl", {
    access: "read",
    summary: "Milliseconds until the key vanishes, null when it never does.",
    parameters: [theKey],
    result: orNull(number),
    absent: "there is no such key",
  }),
  expiry("persist", {
    access: "write",
    summary: "Takes the expiry of a key away; false when it is missing or had none.",
    parameters: [theKey, guard],
    result: boolean,
  }),
];

const indexStats = object({
  enabled: yes,
  keysList: count,
  keysMap: count,
  ost: count,
  consistent: boolean,
});
const diskStats: Schema = object({
  path: { ...text, description: "Without the directories above." },
  sizeBytes: count,
  readOnly: boolean,
  "log?": { type: "object" },
});
const serialization: Schema = { enum: ["json", "string", "bytes"] };

export const statsSchema: Schema = object({
  backend: text,
  serialization,
  trackKeys: boolean,
  count,
  claims: object({ live: count, expired: count }),
  index: orNull(indexStats),
  disk: orNull(diskStats),
});

/** Where the server keeps its files is nothing to a remote caller. */
export function toldStats(stats: unknown): unknown {
  const { disk } = stats as KvStats;
  if (disk === null) return stats;
  return { ...(stats as KvStats), disk: { ...disk, path: basename(disk.path) } };
}

export const diagnosticOperations: readonly HttpOperation[] = [
  diagnostic("stats", {
    access: "read",
    summary: "The state of the store as counters and facts.",
    result: statsSchema,
    told: toldStats,
  }),
  diagnostic("allocationStats", {
    access: "read",
    summary: "How much of a pool is free.",
    parameters: [prefix],
    result: object({
      prefix: text,
      total: count,
      claimable: count,
      claimedLive: count,
      claimedExpired: count,
      backend: text,
      trackKeys: boolean,
    }),
  }),
  diagnostic("reportStats", {
    access: "read",
    summary: "Sets the state gauges of the metrics from `stats`.",
    result: {},
    absent: "always",
  }),
  diagnostic("rebuildKeyList", {
    access: "write",
    summary: "Recomputes the key index from the data; claims stay.",
    result: yes,
  }),
];

const fileName = requiredOption(
  "fileName",
  { ...text, minLength: 1 },
  "the name of the file below the directory of the server",
);
const limit = option("limit", integer(undefined, fileRowsMax), "how many rows; 0 or less: all");
const keyPrefix = option("keyPrefix", text, "put before every key of the file");
const batchSize = option("batchSize", integer(undefined, fileBatchRowsMax), "rows in one step");
const delimiter = option("delimiter", { ...text, default: "," }, "one character");
const hasHeader = option("hasHeader", { ...boolean, default: true }, "the first row names columns");
const columnOfKeys = "the column of the keys: its name, or without a header its place";
const csv: readonly Parameter[] = [fileName, keyPrefix, delimiter, hasHeader, limit];

const exported = object({ exported: count, fileName: text, bytesWritten: count });
const imported = object({ imported: count, fileName: text, bytesRead: count });
const checked = (rows: string, place: string): Schema =>
  object({
    valid: boolean,
    [rows]: count,
    bytesRead: count,
    checkedAll: boolean,
    "firstError?": object({ [place]: count, name: text, message: text }),
  });

export const fileOperations: readonly HttpOperation[] = [
  files("backup", {
    summary: "Writes everything as it is now into a file of the backend `disk`.",
    parameters: [
      fileName,
      option("allowConcurrentWrites", boolean, "take values as they are when their turn comes"),
    ],
    result: object({
      totalEntries: count,
      bytesWritten: count,
      bestEffort: boolean,
      warning: text,
    }),
    file: "write",
  }),
  files("restore", {
    summary: "Replaces everything by what is in a file that `backup` wrote.",
    parameters: [
      fileName,
      option("maxEntries", integer(), "refuse a file with more entries; 0 or less: any"),
      option("maxBytes", integer(), "refuse a file with more bytes; 0 or less: any"),
    ],
    result: object({ totalEntries: count }),
    file: "read by name",
  }),
  files("exportJSONL", {
    summary: "Writes values as lines into a file.",
    parameters: [fileName, prefix, limit],
    result: exported,
    file: "write",
  }),
  files("importJSONL", {
    summary: "Sets the values of a file, a batch at a time.",
    parameters: [fileName, keyPrefix, limit, batchSize],
    result: imported,
    file: "read",
  }),
  files("validateJSONL", {
    summary: "Reads a file as `import_jsonl` would and tells the first line that is refused.",
    parameters: [fileName, keyPrefix, limit],
    result: checked("records", "line"),
    file: "read",
  }),
  files("exportCSV", {
    summary: "Writes properties of values as rows into a file.",
    parameters: [
      fileName,
      requiredOption("columns", listOf(text), "the properties, each a column"),
      prefix,
      limit,
      delimiter,
      option("includeKey", { ...boolean, default: true }, "put a column `key` before the others"),
    ],
    result: exported,
    file: "write",
  }),
  files("importCSV", {
    summary: "Sets each row of a file as an object of strings.",
    parameters: [...csv, requiredOption("keyColumn", text, columnOfKeys), batchSize],
    result: imported,
    file: "read",
  }),
  files("validateCSV", {
    summary: "Reads a file as `import_csv` would and tells the first row that is refused.",
    parameters: [...csv, option("keyColumn", text, columnOfKeys)],
    result: checked("rows", "row"),
    file: "read",
  }),
];
