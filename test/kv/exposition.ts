// Exposition: a strict reader of the text format of Prometheus, for tests.

import { expect } from "vitest";

export type Sample = { name: string; labels: Record<string, string>; value: number };

const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/y;
const samplePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[\d.]+(?:e[+-]?\d+)?)$/;

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    labelPattern.lastIndex = at;
    const [whole, name, value] = labelPattern.exec(text) ?? [];
    if (whole === undefined || name! in labels) throw new Error(`no labels: ${text}`);
    labels[name!] = value!.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    at += whole.length;
    if (at < text.length && text[at++] !== ",") throw new Error(`no labels: ${text}`);
  }
  return labels;
}

/** The samples of an exposition; refuses a line that is none and a sample that comes twice. */
export function parse(text: string): Sample[] {
  expect(text.endsWith("\n")).toBe(true);
  const samples: Sample[] = [];
  const seen = new Set<string>();
  const typed = new Set<string>();
  for (const line of text.split("\n")) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line);
    if (type !== null && typed.has(type[1]!)) throw new Error(`two types: ${line}`);
    if (type !== null) typed.add(type[1]!);
    if (type !== null || line === "" || /^# HELP [a-zA-Z_:][\w:]* [^\n]+$/.test(line)) continue;
    const [, name, labelText = "", value] = samplePattern.exec(line) ?? [];
    if (name === undefined) throw new Error(`no sample: ${line}`);
    const family = name.replace(/_(bucket|sum|count)$/, "");
    if (!typed.has(name) && !typed.has(family)) throw new Error(`no type: ${line}`);
    const labels = labelsIn(labelText);
    const series = JSON.stringify([name, Object.entries(labels).sort()]);
    if (seen.has(series)) throw new Error(`twice: ${line}`);
    seen.add(series);
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}

export function valuesOf(samples: readonly Sample[], name: string, ...by: string[]): object {
  const found = samples.filter((sample) => sample.name === name);
  return Object.fromEntries(
    found.map(({ labels, value }) => [by.map((label) => labels[label]).join(" "), value]),
  );
}
