// The commands that move values to text files and back: import and export.

import { type Command, Option } from "commander";
import { InvalidOptionsError } from "../../base/errors.js";
import {
  addStoreCommand,
  backendOption,
  type CommandLine,
  integerFrom,
  libraryArgument,
  reporting,
} from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { isHttpUrl } from "../http-calls.js";
import { exportThroughHttp } from "../http-export.js";
import type { StoreFlags } from "../open-target.js";
import type { Terminal } from "../terminal.js";
import { count } from "../text.js";
import { printReport, requireFile, withKv } from "./library.js";

export function addFileCommands(line: CommandLine): void {
  addImport(line);
  addExport(line);
}

type Format = "jsonl" | "csv";

interface FormatFlags extends StoreFlags {
  readonly format?: Format;
}

/** The format that was asked for, or that the name of the file says. */
function formatOf(file: string, { format }: FormatFlags): Format {
  if (format !== undefined) return format;
  if (/\.csv$/i.test(file)) return "csv";
  if (/\.(jsonl|ndjson)$/i.test(file)) return "jsonl";
  throw new InvalidOptionsError(
    'the name of the file ends neither in ".jsonl" nor in ".csv": give --format',
  );
}

function addFormat(command: Command): Command {
  const option = new Option("--format <kind>", "of the file (default: by the end of its name)");
  return command.addOption(option.choices(["jsonl", "csv"]));
}

interface ImportFlags extends FormatFlags {
  readonly keyPrefix?: string;
  readonly limit?: number;
  readonly batchSize?: number;
  readonly keyColumn?: string;
  readonly delimiter?: string;
  readonly header: boolean;
  readonly check?: boolean;
  readonly backend?: string;
}

const importText = {
  name: "import",
  description: "Set the values of a file in JSON lines or CSV.",
  details: `A line of JSON is { "key", "value" }; a row of CSV becomes an object of strings, under the key in
its --key-column. Rows are written a batch at a time: when one is refused, the batches before it are
in the store. --check reads the file, tells the first row that would be refused, and writes nothing.`,
  examples: [
    "anykv import ./.anykv users.jsonl",
    "anykv import valkey://localhost:6380 users.csv --key-column id --key-prefix user:",
    "anykv import --check ./.anykv users.jsonl",
  ],
};

function addImport(line: CommandLine): void {
  const command = addStoreCommand(line, importText, libraryArgument)
    .argument("<file>", "the file")
    .option("--key-prefix <text>", "put this before every key")
    .option("--limit <n>", "at most so many rows", integerFrom(1))
    .option("--batch-size <n>", "rows that are written together (default 1000)", integerFrom(1))
    .option("--key-column <name>", "of CSV: the column of the keys, or without a header its place")
    .option("--delimiter <character>", 'of CSV (default ",")')
    .option("--no-header", "of CSV: the first row is data")
    .option("--check", "write nothing")
    .addOption(backendOption("path"));
  addFormat(command).action((store: string, file: string, flags: ImportFlags) =>
    reporting(line, flags, () =>
      flags.check
        ? checkFile(line.terminal, store, file, flags)
        : importFile(line.terminal, store, file, flags),
    ),
  );
}

function importOptions(terminal: Terminal, fileName: string, flags: ImportFlags) {
  const { keyPrefix, limit, delimiter, keyColumn } = flags;
  const isCsv = formatOf(fileName, flags) === "csv";
  if (!isCsv && (keyColumn ?? delimiter) !== undefined) {
    throw new InvalidOptionsError("--key-column and --delimiter are for CSV");
  }
  if (isCsv && keyColumn === undefined) {
    throw new InvalidOptionsError("CSV needs --key-column, the column of the keys");
  }
  const common = { fileName, keyPrefix, limit, signal: terminal.interruption() };
  const csv = { ...common, delimiter, keyColumn: keyColumn ?? "", hasHeader: flags.header };
  return { isCsv, common, csv };
}

async function importFile(
  terminal: Terminal,
  store: string,
  file: string,
  flags: ImportFlags,
): Promise<ExitCode> {
  const { isCsv, common, csv } = importOptions(terminal, file, flags);
  const { batchSize, backend } = flags;
  await requireFile(terminal, file);
  const batch = { batchSize, onProgress: rowsTold(terminal, "import") };
  const use = { writes: true, creates: { backend }, needsLibrary: "import" };
  const summary = await withKv(terminal, store, flags, use, (kv) =>
    isCsv ? kv.importCSV({ ...csv, ...batch }) : kv.importJSONL({ ...common, ...batch }),
  );
  const { imported, bytesRead } = summary;
  return printReport(
    ...([terminal, flags, summary] as const),
    `${count(imported, "value")} imported, ${count(bytesRead, "byte")} read`,
  );
}

async function checkFile(
  terminal: Terminal,
  store: string,
  file: string,
  flags: ImportFlags,
): Promise<ExitCode> {
  const { isCsv, common, csv } = importOptions(terminal, file, flags);
  const onProgress = rowsTold(terminal, "check");
  const use = { writes: false, needsLibrary: "import" };
  const found = await withKv(terminal, store, flags, use, async (kv) =>
    isCsv
      ? { ...(await kv.validateCSV({ ...csv, onProgress })) }
      : { ...(await kv.validateJSONL({ ...common, onProgress })) },
  );
  const rows = "rows" in found ? found.rows : found.records;
  const { firstError } = found;
  const text =
    firstError === undefined
      ? `${count(rows, "row")} in order`
      : `${count(rows, "row")} in order before ${placeOf(firstError)}: ${firstError.message}`;
  printReport(terminal, flags, found, text);
  return found.valid ? exitCodes.fine : exitCodes.damaged;
}

function placeOf(error: { readonly line: number } | { readonly row: number }): string {
  return "line" in error ? `line ${error.line}` : `row ${error.row}`;
}

interface ExportFlags extends FormatFlags {
  readonly prefix?: string;
  readonly limit?: number;
  readonly column?: string[];
  readonly delimiter?: string;
  readonly key: boolean;
}

const exportText = {
  name: "export",
  description: "Write values as JSON lines or CSV into a file.",
  details: `The file appears when it is complete, and replaces what was there. Arrays, filters and claims
stay behind: for a whole store there are backup and copy. CSV has the properties --column of values that are
objects, each a column.`,
  examples: [
    "anykv export ./.anykv all.jsonl",
    "anykv export --prefix user: valkey://localhost:6380 users.csv --column name --column mail",
    "anykv export http://localhost:6381 all.jsonl",
  ],
};

function addExport(line: CommandLine): void {
  const { terminal } = line;
  const command = addStoreCommand(line, exportText)
    .argument("<file>", "the file")
    .option("--prefix <text>", "only keys that begin so")
    .option("--limit <n>", "at most so many", integerFrom(1))
    .option("--column <name...>", "of CSV: properties of the values")
    .option("--delimiter <character>", 'of CSV (default ",")')
    .option("--no-key", "of CSV: no column of the keys");
  addFormat(command).action((store: string, file: string, flags: ExportFlags) =>
    reporting(line, flags, () => exportFile(terminal, store, file, flags)),
  );
}

async function exportFile(
  terminal: Terminal,
  store: string,
  fileName: string,
  flags: ExportFlags,
): Promise<ExitCode> {
  const { prefix, limit, delimiter, column: columns = [], key: includeKey } = flags;
  const isCsv = formatOf(fileName, flags) === "csv";
  if (!isCsv && (columns.length > 0 || delimiter !== undefined)) {
    throw new InvalidOptionsError("--column and --delimiter are for CSV");
  }
  if (isCsv && columns.length === 0) {
    throw new InvalidOptionsError("CSV needs --column, a property of the values");
  }
  const signal = terminal.interruption();
  const common = { fileName, prefix, limit, signal, onProgress: rowsTold(terminal, "export") };
  const csv = { columns, delimiter, includeKey };
  const use = { writes: false, needsLibrary: "export" };
  const summary = isHttpUrl(store)
    ? await exportThroughHttp(terminal.env, store, { ...common, ...(isCsv ? { csv } : {}) })
    : await withKv(terminal, store, flags, use, (kv) =>
        isCsv ? kv.exportCSV({ ...common, ...csv }) : kv.exportJSONL(common),
      );
  const { exported, bytesWritten } = summary;
  return printReport(
    ...([terminal, flags, summary] as const),
    `${count(exported, "value")} exported, ${count(bytesWritten, "byte")} written`,
  );
}

function rowsTold(
  terminal: Terminal,
  verb: string,
): (progress: { records?: number; rows?: number; bytes: number }) => void {
  return ({ records, rows, bytes }) => {
    const many = count(rows ?? records ?? 0, "row");
    terminal.progress(`${verb} ${many}, ${(bytes / 1e6).toFixed(1)} MB`);
  };
}
