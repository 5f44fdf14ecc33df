// Reports of verify and repair for people. Paths below the store are shown without its path.

import { formatVersion } from "../engines/wal/file-header.js";
import type {
  LostRecords,
  Problem,
  RepairReport,
  SegmentReport,
  StateReport,
  WalReport,
} from "../engines/wal/wal-report.js";
import { count, unfinishedCopyLines } from "./text.js";

// More keys than this are for --json.
const keysShownMax = 10;

function rangeOf(first: number, last: number | undefined): string {
  if (last === undefined) return `from ${first} on, nobody knows how many`;
  return first === last ? `${first}` : `${first} to ${last}`;
}

function below(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

export function walText(report: WalReport): string {
  const { path, files, problems, tornBytes, foreign } = report;
  const lines = [
    `${path}: wal store, format version ${formatVersion}, ${count(files.length, "file")}`,
  ];
  for (const file of files) lines.push(`  ${below(file.path, path)}: ${fileText(file)}`);
  for (const name of foreign) lines.push(`  ${below(name, path)}: not ours`);
  lines.push(...problemLines(problems, path));
  if (tornBytes > 0) {
    lines.push(
      `${count(tornBytes, "byte")} at the end of the log are of a write that was cut short; ` +
        "opening cuts them off.",
    );
  }
  lines.push(verdictOf(report), ...unfinishedCopyLines(report.unfinishedCopy));
  return `${lines.join("\n")}\n`;
}

function fileText(file: SegmentReport | StateReport): string {
  const facts = [
    file.kind === "state" ? stateText(file) : segmentText(file),
    count(file.bytes, "byte"),
    file.problems.length === 0 ? "ok" : count(file.problems.length, "problem"),
  ];
  if (!file.needed) facts.push("superseded");
  return facts.join(", ");
}

function stateText({ replay, until = replay, rows }: StateReport): string {
  const range = until === replay ? `record ${replay}` : `records ${replay} to ${until}`;
  return `state as of ${range}, ${count(rows, "row")}`;
}

function segmentText({ first, last, records, rows }: SegmentReport): string {
  if (records === 0) return "no records";
  const range = `${first === last ? "record" : "records"} ${rangeOf(first, last)}`;
  // Fewer than the numbers tell when some in between are unreadable.
  return `${range}, ${count(records, "record")}, ${count(rows, "change")}`;
}

function problemLines(problems: readonly Problem[], root: string): string[] {
  if (problems.length === 0) return [];
  const lines = problems.map(({ path, offset, bytes, what }) => {
    const extent = bytes === 0 ? "" : ` (${count(bytes, "byte")})`;
    return `  ${below(path, root)} at byte ${offset}: ${what}${extent}`;
  });
  return [`${count(problems.length, "problem")}:`, ...lines];
}

function verdictOf({ opens, refusal, problems }: WalReport): string {
  if (!opens) return `The store does not open: ${refusal?.message}.`;
  if (problems.length === 0) return "The store is in order.";
  return "The store opens: what is damaged is superseded. `anykv repair` moves it aside.";
}

export function repairText(report: RepairReport): string {
  const { path, changed, quarantine, moved, rows, next, lossless } = report;
  if (!changed) return `${path}: nothing to repair\n`;
  const lines: string[] = [];
  if (rows === undefined) lines.push(`${path}: the store opens as it did`);
  else lines.push(`${path}: repaired, ${count(rows, "row")}, the next record is ${next}`);
  lines.push(`  ${count(moved.length, "file")} moved to ${quarantine}`);
  lines.push(...problemLines(report.problems, path));
  if (lossless) lines.push("Nothing is lost.");
  else lines.push(...lossLines(report));
  return `${lines.join("\n")}\n`;
}

function lossLines({ path, ...report }: RepairReport): string[] {
  const lines = ["Lost:", ...report.lostRecords.map((lost) => `  ${lostText(lost, path)}`)];
  for (const { path: state, rows } of report.lostRows) {
    const many = rows === undefined ? "nobody knows how many rows" : count(rows, "row");
    lines.push(`  ${many} of ${below(state, path)}`);
  }
  for (const { what, rows } of report.mended) lines.push(`  ${what}: ${rows}, put in order`);
  return [...lines, ...olderLines(report.olderRows)];
}

function lostText({ first, last, stateRead }: LostRecords, root: string): string {
  const standIn =
    stateRead === undefined ? "" : `, for which rows of ${below(stateRead, root)} stand in`;
  return `${first === last ? "record" : "records"} ${rangeOf(first, last)}${standIn}`;
}

function olderLines(older: RepairReport["olderRows"]): string[] {
  const lines = older.map(({ table, keys }) => {
    const shown = keys.slice(0, keysShownMax).map((key) => JSON.stringify(key));
    const rest = keys.length > shown.length ? ", ... (all of them with --json)" : "";
    return `  ${table}, ${count(keys.length, "row")}: ${shown.join(", ")}${rest}`;
  });
  if (lines.length === 0) return ["Every row that is left was written after the loss."];
  return [
    "Older than the loss: what is lost may have changed or deleted these rows, or added others:",
    ...lines,
  ];
}
