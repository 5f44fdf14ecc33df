// Reports of verify and repair on the file of a disk store, for people.

import type {
  FileProblem,
  FileRepairReport,
  FileReport,
  TableReport,
} from "../engines/lmdb/file-report.js";
import { problemsMax } from "../engines/lmdb/file-report.js";
import { count, unfinishedCopyLines } from "./text.js";

// More problems than this are for --json.
const problemsShownMax = 20;

export function diskText(report: FileReport): string {
  const { path, layout, bytes, pages, tables, freeKeys, problems } = report;
  const kind = layout === undefined ? "disk store" : `disk store, layout ${layout}`;
  const lines = [`${path}: ${kind}, ${count(bytes, "byte")}, transaction ${report.transaction}`];
  lines.push(`  pages: ${pagesText(pages)}`);
  for (const table of tables) lines.push(`  ${table.table}: ${tableText(table)}`);
  if (freeKeys !== undefined) lines.push(`  index of free keys: ${count(freeKeys, "key")}`);
  lines.push(...problemLines(problems), verdictOf(problems));
  lines.push(...unfinishedCopyLines(report.unfinishedCopy));
  return `${lines.join("\n")}\n`;
}

function pagesText(pages: FileReport["pages"]): string {
  if (pages === undefined) return "others write too fast for them to be looked at";
  return `${pages.used.toLocaleString("en")} in use, ${pages.free.toLocaleString("en")} free`;
}

function tableText({ rows, expiring }: TableReport): string {
  return (
    count(rows, "row") + (expiring === 0 ? "" : `, ${expiring.toLocaleString("en")} that expire`)
  );
}

function problemLines(problems: readonly FileProblem[]): string[] {
  if (problems.length === 0) return [];
  const lines = problems.slice(0, problemsShownMax).map((problem) => `  ${problemText(problem)}`);
  const more = problems.length > lines.length ? ["  ... (more with --json)"] : [];
  const many = problems.length >= problemsMax ? "at least " : "";
  return [`${many}${count(problems.length, "problem")}:`, ...lines, ...more];
}

function problemText({ offset, table, key, what }: FileProblem): string {
  if (offset !== undefined) return `at byte ${offset}: ${what}`;
  if (key === undefined) return what;
  return `${table} ${JSON.stringify(key)}: ${what}`;
}

function verdictOf(problems: readonly FileProblem[]): string {
  if (problems.length === 0) return "The store is in order.";
  if (problems.every(({ part }) => part === "indexes")) {
    return "No data are damaged. `anykv repair` computes the indexes anew.";
  }
  if (problems.every(({ part }) => part !== "pages")) {
    return "The pages are in order, rows are not. `anykv repair` puts them in order.";
  }
  return "Pages are damaged: do not open it. `anykv repair` keeps what can be read.";
}

export function fileRepairText(report: FileRepairReport): string {
  const { path, changed, kept, rows, lossless, mended, unreadableRows } = report;
  if (!changed) return `${path}: nothing to repair\n`;
  const lines = [`${path}: repaired, ${count(rows, "row")}`];
  if (kept !== undefined) lines.push(`  the file as it was is ${kept}`);
  lines.push(...problemLines(report.problems));
  if (lossless) lines.push("Nothing is lost.");
  else lines.push("Lost:", ...lossLines(unreadableRows, kept !== undefined));
  for (const { what, rows: number } of mended) lines.push(`  ${what}: ${number}, put in order`);
  return `${lines.join("\n")}\n`;
}

function lossLines(unreadableRows: number, pagesLost: boolean): string[] {
  const lines =
    unreadableRows > 0 ? [`  ${count(unreadableRows, "row")} that could not be read`] : [];
  if (pagesLost) lines.push("  the rows on damaged pages, nobody knows how many");
  return lines;
}
