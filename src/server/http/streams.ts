// Streams: values as lines, page by page, as fast as the caller takes them.
//
// A page is read when the one before has been taken, so what is held of a store of any size is one
// page. Pages are not a snapshot: each begins at the first key greater than the last one before.
//
// A scan that fails midway ends with a line that has the error instead of a key. A download that
// fails midway is cut off, so that nobody takes it for the whole: HTTP tells the two apart.

import type { Fields } from "../../kv/arguments.js";
import { csvExportRequest, exportRequest } from "../../kv/file-arguments.js";
import type { Entry } from "../../kv/types.js";
import { csvRows } from "../../transfer/csv-export.js";
import { Disconnected } from "./body.js";
import { type DoorContext, type Exchange, integerIn, queryOf, type Route } from "./exchange.js";
import { errorAnswer, refused } from "./refusal.js";
import { beginStream, writePiece } from "./reply.js";
import { bytesAsBase64 } from "./values.js";

/** Rows of one page; fewer where they are large. */
const pageRowsFirst = 100;
const pageRowsMax = 2_000;
const pageCharsAim = 262_144;

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
  const pages = new Pages(context, lines);
  // Of the first page errors are still a status.
  const first = await pages.next();
  beginStream(response, ndjsonType);
  if (exchange.request.method === "HEAD") {
    response.end();
    return;
  }
  try {
    await pages.send(exchange, first);
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
  const pages = new Pages(context, lines);
  const first = await pages.next();
  const headers = { "Content-Disposition": `attachment; filename="${name}"` };
  beginStream(exchange.response, type, headers);
  if (exchange.request.method !== "HEAD") await pages.send(exchange, first);
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

class Pages {
  readonly #context: DoorContext;
  readonly #lines: Lines;
  #rows = pageRowsFirst;
  #sent = 0;
  #cursor: string | undefined;
  #isFirst = true;

  constructor(context: DoorContext, lines: Lines) {
    this.#context = context;
    this.#lines = lines;
  }

  /** The text of the next page; undefined behind the last one. */
  async next(): Promise<string | undefined> {
    if (this.#cursor === "") return undefined;
    const { prefix, limit, head, line } = this.#lines;
    const rows = limit === 0 ? this.#rows : Math.min(this.#rows, limit - this.#sent);
    const cursor = this.#cursor;
    const page = await this.#context.kv.scan({ prefix, limit: rows, cursor });
    let text = this.#isFirst ? head : "";
    for (const entry of page.entries) text += line(entry);
    this.#isFirst = false;
    this.#sent += page.entries.length;
    this.#cursor = this.#sent === limit ? "" : page.cursor;
    this.#adapt(page.entries.length, text.length);
    return text;
  }

  async send({ response }: Exchange, first: string | undefined): Promise<void> {
    for (let text = first; text !== undefined; text = await this.next()) {
      await writePiece(response, text);
      // A store in memory answers at once: others have their turn all the same.
      await this.#context.env.timers.breathe();
    }
  }

  #adapt(rows: number, chars: number): void {
    if (rows === 0 || chars === 0) return;
    const fitting = Math.floor((pageCharsAim * rows) / chars);
    this.#rows = Math.max(1, Math.min(pageRowsMax, this.#rows * 4, fitting));
  }
}
