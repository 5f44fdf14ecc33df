// Report: outcomes as text for the terminal and as Markdown.

import type { RunFacts } from "./machine.js";
import type { Summary } from "./statistics.js";
import type { Finding, NamedOutcome } from "./workload.js";

const integers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function format(value: number): string {
  if (value >= 1000) return integers.format(value);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function label({ of, to, toMax }: Finding): string {
  if (to === undefined) return of;
  return `${of} / ${toMax === undefined ? to : `${to}, up to ${format(toMax)}`}`;
}

function figure(finding: Finding, unit: string): string {
  const value = finding.judged === "median" ? finding.summary.median : worstOf(finding);
  return finding.to === undefined ? `${format(value)} ${unit}` : `${format(value)}x`;
}

function worstOf({ summary, target }: Finding): number {
  return target?.relation === "at least" ? summary.min : summary.max;
}

function targetText({ target, to }: Finding, unit: string): string {
  if (target === undefined) return "";
  return `${target.relation} ${target.value}${to === undefined ? ` ${unit}` : "x"}`;
}

function verdict({ met }: Finding): string {
  return met === null ? "" : met ? "met" : "MISSED";
}

function quartiles({ lowerQuartile, upperQuartile }: Summary): string {
  return `${format(lowerQuartile)} to ${format(upperQuartile)}`;
}

function extremes({ min, max }: Summary): string {
  return `${format(min)} to ${format(max)}`;
}

type Row = readonly string[];

const contestantHeader: Row = ["contestant", "median", "unit", "quartiles", "min to max"];
const findingHeader: Row = ["compared", "figure", "quartiles", "min to max", "target", "met"];

function contestantRows({ contestants, unit }: NamedOutcome): Row[] {
  return contestants.map(({ name, summary }) => {
    return [name, format(summary.median), unit, quartiles(summary), extremes(summary)];
  });
}

function findingRows({ findings, unit }: NamedOutcome): Row[] {
  return findings.map((finding) => [
    label(finding),
    `${figure(finding, unit)}${finding.judged === "worst" ? " (worst)" : ""}`,
    quartiles(finding.summary),
    extremes(finding.summary),
    targetText(finding, unit),
    verdict(finding),
  ]);
}

function aligned(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`)
    .map((line) => line.trimEnd())
    .join("\n");
}

/** The tables of one workload, for the terminal. */
export function outcomeText(outcome: NamedOutcome): string {
  const contestants = aligned([contestantHeader, ...contestantRows(outcome)]);
  const findings = aligned([findingHeader, ...findingRows(outcome)]);
  return `${contestants}\n\n${findings}\n${notesText(outcome)}`;
}

/** One line each; empty when there are none. */
export function notesText({ notes = [] }: NamedOutcome): string {
  return notes.map((note) => `  note: ${note}\n`).join("");
}

export function factsText(facts: RunFacts): string {
  return aligned(factRows(facts));
}

function factRows(facts: RunFacts): Row[] {
  const versions = Object.entries(facts.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ["machine", facts.machine],
    ["load before", facts.load],
    ["node", facts.node],
    ["files in", facts.disk],
    ["packages", versions.join(", ")],
    ["revision", facts.revision],
    ["command", facts.command],
    ["date", facts.date],
  ];
}

/** How many targets were met, and which were not. */
export function targetsText(outcomes: readonly NamedOutcome[]): string {
  const judged = outcomes.flatMap((outcome) =>
    outcome.findings
      .filter(({ met }) => met !== null)
      .map((finding) => ({ finding, where: `${outcome.name}: ${label(finding)}` })),
  );
  const missed = judged.filter(({ finding }) => finding.met === false);
  const lines = missed.map(({ where }) => `  missed: ${where}`);
  return [`${judged.length - missed.length} of ${judged.length} targets met`, ...lines].join("\n");
}

function markdownTable(header: Row, rows: readonly Row[]): string {
  const line = (row: Row): string => `| ${row.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function workloadMarkdown({ name, title, notes = [] }: NamedOutcome): string {
  return [`- \`${name}\`: ${title}`, ...notes.map((note) => `  - ${note}`)].join("\n");
}

export function reportMarkdown(facts: RunFacts, outcomes: readonly NamedOutcome[]): string {
  const named = (rows: (outcome: NamedOutcome) => Row[]): Row[] =>
    outcomes.flatMap((outcome) => rows(outcome).map((row) => [outcome.name, ...row]));
  return [
    "# Benchmark results",
    markdownTable(["", ""], factRows(facts)),
    "A quotient is formed within each round of one process; its median, quartiles and extremes are " +
      "those of the rounds. Answers were checked.",
    "## Comparisons",
    markdownTable(["workload", ...findingHeader], named(findingRows)),
    "## Samples",
    markdownTable(["workload", ...contestantHeader], named(contestantRows)),
    "## Workloads",
    outcomes.map(workloadMarkdown).join("\n"),
    "",
  ].join("\n\n");
}
