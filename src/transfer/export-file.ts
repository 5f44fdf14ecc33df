// Export file: the values of a store as text, page by page, into a file that replaces the target.
//
// Not a snapshot: a page begins at the first key greater than the last one of the page before, and
// what is written meanwhile is in the file if it lies behind. The file itself is all or nothing.

import { resolve } from "node:path";
import { isKvError, type KvError, SnapshotExportError } from "../base/errors.js";
import type { FileHandle } from "../env/files.js";
import type { EntryPage } from "../operations/query.js";
import type { Entry } from "../operations/requests.js";
import { replaceFile } from "./replace-file.js";
import { refuseStoreFile } from "./store-files.js";
import { checkCanceled, chunkBytes, messageOf, type Transfer, tellProgress } from "./transfer.js";

export interface ExportRequest {
  readonly fileName: string;
  readonly prefix: string;
  /** 0: all. */
  readonly limit: number;
}

export interface ExportedFile {
  exported: number;
  /** As it was given. */
  fileName: string;
  bytesWritten: number;
}

export interface RowText {
  /** Stands before the first row. */
  readonly head: string;
  /** One row with its line end. */
  readonly row: (entry: Entry) => string;
}

/** Rows of one page; fewer where they are large. */
const pageRowsMax = 1_000;
const pageRowsFirst = 100;
const pageBytesAim = 4_194_304;

/** @throws SnapshotExportError, OperationCanceledError, and what `row` throws. */
export async function exportFile(
  transfer: Transfer,
  request: ExportRequest,
  text: RowText,
): Promise<ExportedFile> {
  checkCanceled(transfer);
  const { fileName } = request;
  const { files } = transfer.env;
  try {
    return await replaceFile(transfer.env, {
      target: resolve(fileName),
      async fill(temporary) {
        const file = await files.open(temporary, "create");
        try {
          return { ...(await writeRows(transfer, request, text, file)), fileName };
        } finally {
          await file.close();
        }
      },
      refuse: (target) => refuseStoreFile(transfer.env, target),
      beforeRename: () => checkCanceled(transfer),
    });
  } catch (error) {
    throw exportError(fileName, error);
  }
}

function exportError(fileName: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  return new SnapshotExportError(`the file ${fileName} cannot be written: ${messageOf(cause)}`, {
    cause,
    hint: "the file that was there before is untouched, unless only its name could not be synced",
  });
}

async function writeRows(
  transfer: Transfer,
  { prefix, limit }: ExportRequest,
  { head, row }: RowText,
  file: FileHandle,
): Promise<{ exported: number; bytesWritten: number }> {
  const out = new TextWriter(file);
  out.add(head);
  let exported = 0;
  let pageRows = pageRowsFirst;
  let page: EntryPage = { entries: [], done: false };
  for (let after = ""; !page.done && (limit === 0 || exported < limit); ) {
    checkCanceled(transfer);
    const rows = limit === 0 ? pageRows : Math.min(pageRows, limit - exported);
    page = await transfer.store.scan({ prefix, after, limit: rows, bytesMax: pageBytesAim });
    after = page.entries.at(-1)?.key ?? after;
    exported += page.entries.length;
    const before = out.length;
    for (const entry of page.entries) {
      if (out.add(row(entry))) await out.flush();
    }
    pageRows = nextPageRows(page.entries.length, out.length - before);
    if (transfer.onProgress !== undefined) tellProgress(transfer, exported, out.bytesAdded());
  }
  await out.flush();
  return { exported, bytesWritten: out.bytes };
}

function nextPageRows(rows: number, length: number): number {
  if (rows === 0) return pageRowsFirst;
  return Math.max(1, Math.min(pageRowsMax, Math.floor((pageBytesAim * rows) / length)));
}

/** Text on its way into a file, about a chunk at a time. */
class TextWriter {
  readonly #file: FileHandle;
  #pending = "";
  /** UTF-16 code units that were added. */
  length = 0;
  /** Bytes that were written. */
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** True when it is time to `flush`. */
  add(text: string): boolean {
    this.#pending += text;
    this.length += text.length;
    return this.#pending.length >= chunkBytes;
  }

  /** Bytes that were written or are about to be. O(pending text). */
  bytesAdded(): number {
    return this.bytes + Buffer.byteLength(this.#pending);
  }

  async flush(): Promise<void> {
    if (this.#pending === "") return;
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";
    await this.#file.write(bytes);
    this.bytes += bytes.length;
  }
}
