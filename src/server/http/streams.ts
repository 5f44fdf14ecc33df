// Streams: values as lines, page by page, as fast as the caller takes them.
//
// A page is read when the one before has been taken, and is bounded in bytes, so what is held of a
// store of any size is one page: a quarter of a MiB and one value. Its lines are written in pieces of
// that size. Pages are not a snapshot: each begins at the first key greater than the last one before.
//
// A scan that fails midway ends with a line that has the error instead of a key. A download that
// fails midway is cut off, so that nobody takes it for the whole: HTTP tells the two apart.

import type { Fields } from "../../kv/arguments.js";
import { csvExportRequest, exportRequest } from "../../kv/file-arguments.js";
import { boundedPage } from "../../kv/page-bytes.js";
import type { Entry } from "../../kv/types.js";
import { csvRows } from "../../transfer/csv-export.js";
import { Disconnected } from "./body.js";
import { type DoorContext, type Exchange, integerIn, queryOf, type Route } from "./exchange.js";
import { errorAnswer, refused } from "./refusal.js";
import { beginStream, writePiece } from "./reply.js";
import { bytesAsBase64 } from "./values.js";

/** Rows of one page; fewer where they are large, so that none are looked for in vain. */
const pageRowsFirst = 100;
const pageRowsMax = 2_000;
const pageBytesMax = 262_144;
/** A piece is written with the line with which it becomes so long. */
const pieceCharsMax = 262_144;

const ndjsonType = "application/x-ndjson";

/** What a stream consists of. */
interface Lines {
  readonly prefix: string;
  /** 0: all. */
  readonly limit: number;
  readonly head: string;
  readonly line: (entry: Entry) => string;
}

export function streamRoutes(context: DoorContext): Record<string, Route> {
  const route = (name: string, handle: Route["handle"]): Route => {
    return { name, method: "GET", access: "read", handle };
  };
  return {
    "/v1/scan.ndjson": route("scan.ndjson", (exchange) => scan(context, exchange)),
    "/v1/export.jsonl": route("export.jsonl", (exchange) => exportJsonl(context, exchange)),
    "/v1/export.csv": route("export.csv", (exchange) => exportCsv(context, exchange)),
  };
}

async function scan(context: DoorContext, exchange: Exchange): Promise<void> {
  const lines = jsonLines(context, exchange);
  const { response } = exchange;
  const pieces = piecesOf(context, lines);
  // Of the first piece errors are still a status.
  const first = await pieces.next();
  beginStream(response, ndjsonType);
  if (exchange.request.method === "HEAD") {
    response.end();
    return;
  }
  try {
    await send(context, exchange, first, pieces);
    response.end();
  } catch (error) {
    if (error instanceof Disconnected) throw error;
    response.end(`${JSON.stringify(errorAnswer(error, context.naming).body)}\n`);
  }
}

async function exportJsonl(context: DoorContext, exchange: Exchange): Promise<void> {
  await download(context, exchange, jsonLines(context, exchange), ndjsonType, "export.jsonl");
}

async function exportCsv(context: DoorContext, exchange: Exchange): Promise<void> {
  const names = ["prefix", "limit", "column", "delimiter", "includeKey"];
  const parameters = queryOf(exchange, names, ["column"]);
  if (!parameters.has("column"))
    throw refused(400, 'the parameter "column" is needed, once or more');
  const request = csvExportRequest({
    ...rangeOf(parameters),
    columns: parameters.getAll("column"),
    delimiter: parameters.get("delimiter"),
    includeKey: flag(parameters.get("includeKey")),
  });
  const { head, row } = csvRows(request);
  const line = ({ key, value }: Entry): string => row(key, value);
  const type = "text/csv; charset=utf-8";
  await download(context, exchange, { ...request, head, line }, type, "export.csv");
}

async function download(
  context: DoorContext,
  exchange: Exchange,
  lines: Lines,
  type: string,
  name: string,
): Promise<void> {
  const pieces = piecesOf(context, lines);
  const first = await pieces.next();
  const headers = { "Content-Disposition": `attachment; filename="${name}"` };
  beginStream(exchange.response, type, headers);
  if (exchange.request.method !== "HEAD") await send(context, exchange, first, pieces);
  exchange.response.end();
}

function jsonLines(context: DoorContext, exchange: Exchange): Lines {
  const fields = rangeOf(queryOf(exchange, ["prefix", "limit"]));
  const replacer = context.isBytes ? bytesAsBase64 : undefined;
  return {
    ...exportRequest(fields),
    head: "",
    line: ({ key, value }) => `${JSON.stringify({ key, value }, replacer)}\n`,
  };
}

/** The options of an export that is no file. */
function rangeOf(parameters: URLSearchParams): Fields {
  return {
    fileName: "-",
    prefix: parameters.get("prefix"),
    limit: integerIn(parameters, "limit"),
  };
}

/** Anything else is left to the check of the options. */
function flag(text: string | null): boolean | string | null {
  return text === "true" || text === "false" ? text === "true" : text;
}

/** The text of all lines; a page ends with a piece. */
async function* piecesOf({ kv }: DoorContext, lines: Lines): AsyncGenerator<string> {
  const { prefix, limit, line } = lines;
  let text = lines.head;
  let [sent, rows] = [0, pageRowsFirst];
  let cursor: string | undefined;
  do {
    const rowsMax = limit === 0 ? rows : Math.min(rows, limit - sent);
    const page = await kv.scan(boundedPage({ prefix, limit: rowsMax, cursor }, pageBytesMax));
    let chars = 0;
    for (const entry of page.entries) {
      const added = line(entry);
      chars += added.length;
      text += added;
      if (text.length < pieceCharsMax) continue;
      yield text;
      text = "";
    }
    if (text !== "") yield text;
    text = "";
    cursor = page.cursor;
    sent += page.entries.length;
    rows = nextRows(rows, page.entries.length, chars);
  } while (cursor !== "" && sent !== limit);
}

function nextRows(asked: number, rows: number, chars: number): number {
  if (rows === 0 || chars === 0) return asked;
  const fitting = Math.floor((pageBytesMax * rows) / chars);
  return Math.max(1, Math.min(pageRowsMax, asked * 4, fitting));
}

async function send(
  { env }: DoorContext,
  { response }: Exchange,
  first: IteratorResult<string, unknown>,
  pieces: AsyncGenerator<string>,
): Promise<void> {
  for (let piece = first; piece.done !== true; piece = await pieces.next()) {
    await writePiece(response, piece.value);
    // A store in memory answers at once: others have their turn all the same.
    await env.timers.breathe();
  }
}
