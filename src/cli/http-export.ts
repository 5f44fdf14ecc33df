// HTTP export: the values behind an HTTP door as a file of this machine.
//
// The server cuts the connection when it fails midway, so a file that is complete is the whole of it.
// It appears under its name then, and not before.

import { resolve } from "node:path";
import { ServerConnectionError } from "../base/errors.js";
import type { Env } from "../env/env.js";
import { replaceFile } from "../transfer/replace-file.js";
import { refuseStoreFile } from "../transfer/store-files.js";
import { checkCanceled } from "../transfer/transfer.js";
import { httpPlace, request } from "./http-calls.js";

export interface HttpExport {
  readonly fileName: string;
  readonly prefix: string | undefined;
  readonly limit: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { rows: number; bytes: number }) => void;
  /** Left out: JSON lines. */
  readonly csv?: {
    readonly columns: readonly string[];
    readonly delimiter: string | undefined;
    readonly includeKey: boolean;
  };
}

export interface HttpExported {
  readonly exported: number;
  readonly fileName: string;
  readonly bytesWritten: number;
}

/** @throws what the server refuses it with, and ServerConnectionError when it is cut off. */
export async function exportThroughHttp(
  env: Env,
  url: string,
  asked: HttpExport,
): Promise<HttpExported> {
  const { fileName, signal } = asked;
  const place = httpPlace(url, process.env.ANYKV_TOKEN, signal);
  const { body } = await request(place, pathOf(asked));
  return replaceFile(env, {
    target: resolve(fileName),
    async fill(temporary) {
      const file = await env.files.open(temporary, "create");
      const rows = new RowCounter(asked.csv !== undefined);
      let bytesWritten = 0;
      try {
        for await (const chunk of chunksOf(place.base, body, signal)) {
          checkCanceled({ signal });
          await file.write(chunk, bytesWritten);
          bytesWritten += chunk.length;
          rows.add(chunk);
          asked.onProgress({ rows: rows.count, bytes: bytesWritten });
        }
      } finally {
        await file.close();
      }
      return { exported: rows.count, fileName, bytesWritten };
    },
    refuse: (target) => refuseStoreFile(env, target),
    beforeRename: () => checkCanceled({ signal }),
  });
}

function pathOf({ prefix, limit, csv }: HttpExport): string {
  const query = new URLSearchParams();
  if (prefix !== undefined) query.set("prefix", prefix);
  if (limit !== undefined) query.set("limit", String(limit));
  if (csv === undefined) return `/v1/export.jsonl?${query}`;
  for (const column of csv.columns) query.append("column", column);
  if (csv.delimiter !== undefined) query.set("delimiter", csv.delimiter);
  if (!csv.includeKey) query.set("includeKey", "false");
  return `/v1/export.csv?${query}`;
}

async function* chunksOf(
  base: string,
  body: Response["body"],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return;
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) yield chunk;
  } catch (cause) {
    checkCanceled({ signal });
    throw new ServerConnectionError(`the connection to ${base} broke in the middle of the export`, {
      cause,
      hint: "the server may have failed to read a value; its file was not touched",
    });
  }
}

const lineEnd = 0x0a;
const quote = 0x22;

/** Counts rows: line ends, in CSV those outside quotes, without the header. */
class RowCounter {
  readonly #isCsv: boolean;
  #lines = 0;
  #isQuoted = false;

  constructor(isCsv: boolean) {
    this.#isCsv = isCsv;
  }

  get count(): number {
    return Math.max(0, this.#lines - (this.#isCsv ? 1 : 0));
  }

  add(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === quote && this.#isCsv) this.#isQuoted = !this.#isQuoted;
      else if (byte === lineEnd && !this.#isQuoted) this.#lines++;
    }
  }
}
