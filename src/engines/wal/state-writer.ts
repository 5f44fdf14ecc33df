// State writer: the whole data into one file, while writers go on.
//
// Rows are taken table by table as they are when the walk reaches them, in slices that leave the
// event loop free; blocks are compressed by Node's thread pool. What changes meanwhile is in the
// log. The file gets its name only when it and the log up to its end are on the disk.

import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import type { Row } from "../../engine/engine.js";
import { type TableName, tableNames } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import { ChangeEncoder } from "./change-codec.js";
import { placeAt } from "./file-header.js";
import { codecs, encodeBlock, encodeFooter, stateHeader } from "./state-format.js";

const compress = promisify(deflateRaw);

const blockBytes = 256 * 1024;
const sliceMs = 4;
// Rows between two looks at the clock.
const sliceRows = 128;
// Fast rather than small: states are written often and read once.
const compressionLevel = 1;

/**
 * What a state is made of. The iterators tolerate changes of the tables: they give every row that was
 * there when they were made and has not gone, though not all that have come since. Rows of a table
 * that has been cleared meanwhile need not be given: the clearing is in the log.
 */
export interface RowSource {
  rows(table: TableName): Iterable<[string, Row]>;
}

export interface StateRequest {
  /** Without ".tmp". */
  readonly path: string;
  readonly store: Uint8Array;
  readonly replay: number;
  /** Makes the log durable and names the last record in it; called when all rows are taken. */
  readonly finishLog: () => Promise<number>;
}

export interface StateReport {
  readonly rows: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

class StateFile {
  readonly #file: FileHandle;
  readonly #origin: number;
  #blocks = 0;
  rawBytes = 0;
  storedBytes = 0;

  constructor(file: FileHandle, origin: number) {
    this.#file = file;
    this.#origin = origin;
  }

  /** Where the next block or the footer belongs. */
  get place(): number {
    return placeAt(this.#origin, this.storedBytes);
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#file.write(bytes);
    this.storedBytes += bytes.length;
  }

  async block(raw: Buffer): Promise<void> {
    if (raw.length === 0) return;
    const packed = await compress(raw, { level: compressionLevel });
    const pays = packed.length < raw.length;
    const codec = pays ? codecs.deflate : codecs.none;
    const header = { rawLength: raw.length, codec, place: this.place };
    await this.write(encodeBlock(pays ? packed : raw, header));
    this.rawBytes += raw.length;
    this.#blocks++;
  }

  get blocks(): number {
    return this.#blocks;
  }
}

export async function writeState(
  env: Env,
  source: RowSource,
  request: StateRequest,
): Promise<StateReport> {
  const temporary = `${request.path}.tmp`;
  const handle = await env.files.open(temporary, "create");
  try {
    const file = new StateFile(handle, stateHeader.origin(request.replay, request.store));
    await file.write(stateHeader.encode(request.replay, request.store));
    let rows = 0;
    for (const table of tableNames) rows += await writeTable(env, source, table, file);
    const until = await request.finishLog();
    await file.write(encodeFooter({ blocks: file.blocks, rows, until, place: file.place }));
    await handle.sync();
    return { rows, rawBytes: file.rawBytes, storedBytes: file.storedBytes };
  } catch (error) {
    // What there is of it would only take up room, which may be the very thing that is missing.
    await env.files.remove(temporary).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

async function writeTable(
  env: Env,
  source: RowSource,
  table: TableName,
  file: StateFile,
): Promise<number> {
  const encoder = new ChangeEncoder(0, blockBytes + blockBytes / 4);
  let rows = 0;
  let sliceEnd = env.clock.monotonic() + sliceMs;
  for (const [key, row] of source.rows(table)) {
    encoder.put(table, key, row.value, row.deadline);
    rows++;
    if (encoder.length >= blockBytes) await file.block(encoder.take());
    if (rows % sliceRows === 0 && env.clock.monotonic() >= sliceEnd) {
      await env.timers.breathe();
      sliceEnd = env.clock.monotonic() + sliceMs;
    }
  }
  await file.block(encoder.take());
  return rows;
}
