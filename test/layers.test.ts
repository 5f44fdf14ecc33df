// The shape of src/: imports point down the layers, entries stand where they are public, nothing
// stops `require("anykv")`, and no file or function outgrows its bound. The rules run on invented
// sources first, each of which breaks one of them, so that a rule that has gone blind is seen.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";
import { describe, expect, test } from "vitest";

/** Lowest first. Layers of one row do not know each other. */
const layerRows: readonly (readonly string[])[] = [
  ["base", "env"],
  ["engine"],
  ["engines"],
  ["operations"],
  ["store"],
  ["remote"],
  ["transfer"],
  ["kv"],
  ["server", "k6", "adapters", "testing"],
  ["cli"],
];
/** Engines that are built on another engine: "importer -> imported". */
const engineArrows: ReadonlySet<string> = new Set(["wal -> memory"]);
/** The only index files: each is an entry of `exports` in package.json. */
const publicEntries: ReadonlySet<string> = new Set([
  "index.ts",
  "server/index.ts",
  "testing/index.ts",
]);

/** Packages that belong to one layer, and are loaded when they are first needed. */
const lazyPackages: Readonly<Record<string, string>> = {
  "csv-parse": "transfer",
  iovalkey: "remote",
};

const fileLinesMax = 400;
const fileLinesAim = 250;
const functionLinesMax = 70;
const functionLinesAim = 30;

/** Path in src/ (with `/`) to text. */
type Sources = Readonly<Record<string, string>>;
type Rule =
  | "syntax"
  | "layer"
  | "arrow"
  | "entry"
  | "index"
  | "dependency"
  | "await"
  | "file size"
  | "function size";
type Finding = { rule: Rule; path: string; line: number; message: string };
type Dependencies = { runtime: readonly string[]; typesOnly: readonly string[] };
type Import = {
  specifier: string | undefined;
  typeOnly: boolean;
  isLazy: boolean;
  offset: number;
};
type FunctionSpan = { name: string; offset: number; lines: number };
type Facts = { imports: Import[]; functions: FunctionSpan[]; topLevelAwaits: number[] };
/** A node of the parser's ESTree, seen as what it is to a walker: a bag of fields. */
type Node = { type: string; start: number; end: number; [field: string]: unknown };

const functionTypes = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);
/** Bodies of their own, in which `await` is not the module's. */
const ownAwaitTypes = new Set([...functionTypes, "PropertyDefinition", "StaticBlock"]);
const importTypes = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
  "TSExternalModuleReference",
]);

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function children(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function nameIn(node: Node): string | undefined {
  const name = isNode(node.id) ? node.id : node.key;
  if (!isNode(name)) return undefined;
  return String(name.name ?? name.value ?? "[computed]");
}

function importOf(node: Node): Import | undefined {
  const source = node.source ?? node.expression;
  // `export const a = 1` has the type of an import and no source.
  if (!isNode(source)) return undefined;
  const typeOnly =
    node.type === "TSImportType" || node.importKind === "type" || node.exportKind === "type";
  const specifier = typeof source.value === "string" ? source.value : undefined;
  return { specifier, typeOnly, isLazy: node.type === "ImportExpression", offset: node.start };
}

function collect(text: string, node: Node, parent: Node, inFunction: boolean, into: Facts): void {
  if (importTypes.has(node.type)) {
    const found = importOf(node);
    if (found !== undefined) into.imports.push(found);
  }
  if (functionTypes.has(node.type)) {
    const name = nameIn(node) ?? nameIn(parent) ?? "anonymous function";
    const lines = countLines(text.slice(node.start, node.end));
    into.functions.push({ name, offset: node.start, lines });
  }
  const awaits =
    node.type === "AwaitExpression" ||
    (node.type === "ForOfStatement" && node.await === true) ||
    (node.type === "VariableDeclaration" && node.kind === "await using");
  if (awaits && !inFunction) into.topLevelAwaits.push(node.start);
  const within = inFunction || ownAwaitTypes.has(node.type);
  for (const child of children(node)) collect(text, child, node, within, into);
}

function factsOf(path: string, text: string): Facts | string {
  const parsed = parseSync(path, text, { sourceType: "module" });
  const error = parsed.errors[0];
  if (error !== undefined) return error.message;
  const facts: Facts = { imports: [], functions: [], topLevelAwaits: [] };
  const program: unknown = parsed.program;
  if (!isNode(program)) return "The parser returned no program.";
  collect(text, program, program, false, facts);
  return facts;
}

function rowOf(layer: string): number {
  return layerRows.findIndex((row) => row.includes(layer));
}

/** What is wrong with `from` importing `to`, both paths in src/; undefined when nothing is. */
function arrowFault(from: string, to: string): { rule: Rule; message: string } | undefined {
  const [fromLayer = "", fromEngine = ""] = from.split("/");
  const [toLayer = "", toEngine = ""] = to.split("/");
  if (from === "index.ts") {
    if (toLayer === "kv" || /^base\/errors[./]/.test(to)) return undefined;
    return { rule: "entry", message: `the public entry imports ${to}: only kv and base/errors` };
  }
  const [fromRow, toRow] = [rowOf(fromLayer), rowOf(toLayer)];
  if (toRow === -1) return { rule: "layer", message: `imports ${to}, which is in no layer` };
  if (fromLayer === "engines" && toLayer === "engines") {
    if (fromEngine === toEngine || engineArrows.has(`${fromEngine} -> ${toEngine}`)) return;
    return { rule: "arrow", message: `engine ${fromEngine} imports engine ${toEngine}` };
  }
  if (fromLayer === toLayer || fromRow > toRow) return undefined;
  return { rule: "arrow", message: `${fromLayer} imports ${toLayer}` };
}

function importFault(
  path: string,
  { specifier, typeOnly, isLazy }: Import,
  dependencies: Dependencies,
): { rule: Rule; message: string } | undefined {
  if (specifier === undefined) {
    return { rule: "arrow", message: "imports what is not a string literal" };
  }
  if (specifier.startsWith(".")) {
    const to = posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts");
    return arrowFault(path, to);
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const layer = lazyPackages[name];
  if (layer !== undefined && !(path.startsWith(`${layer}/`) && (isLazy || typeOnly))) {
    return { rule: "dependency", message: `imports ${name}: only ${layer} does, by import()` };
  }
  // What runs in k6 has k6's own modules, and nothing else.
  if (path.startsWith("k6/")) {
    if (name === "k6") return undefined;
    return { rule: "dependency", message: `imports ${specifier}, which k6 does not have` };
  }
  if (specifier.startsWith("node:") || dependencies.runtime.includes(name)) return undefined;
  if (typeOnly && dependencies.typesOnly.includes(name)) return undefined;
  return { rule: "dependency", message: `imports ${specifier}, which an install does not bring` };
}

function placeFaults(path: string): { rule: Rule; message: string }[] {
  const [layer = "", ...rest] = path.split("/");
  const faults: { rule: Rule; message: string }[] = [];
  const placed = rowOf(layer) !== -1 && rest.length >= (layer === "engines" ? 2 : 1);
  if (!placed && path !== "index.ts") faults.push({ rule: "layer", message: "is in no layer" });
  if (posix.basename(path) === "index.ts" && !publicEntries.has(path)) {
    faults.push({ rule: "index", message: "is an index file, but no public entry" });
  }
  return faults;
}

function findingsIn(path: string, text: string, dependencies: Dependencies): Finding[] {
  const findings: Finding[] = placeFaults(path).map((fault) => ({ ...fault, path, line: 1 }));
  const facts = factsOf(path, text);
  if (typeof facts === "string") {
    findings.push({ rule: "syntax", path, line: 1, message: facts });
    return findings;
  }
  for (const found of facts.imports) {
    const fault = importFault(path, found, dependencies);
    if (fault !== undefined) findings.push({ ...fault, path, line: lineOf(text, found.offset) });
  }
  for (const offset of facts.topLevelAwaits) {
    const message = "awaits at the top level, which breaks require()";
    findings.push({ rule: "await", path, line: lineOf(text, offset), message });
  }
  const fileLines = countLines(text);
  if (fileLines > fileLinesMax) {
    const message = `has ${fileLines} lines of at most ${fileLinesMax}`;
    findings.push({ rule: "file size", path, line: fileLines, message });
  }
  for (const { name, offset, lines } of facts.functions) {
    if (lines <= functionLinesMax) continue;
    const message = `${name} has ${lines} lines of at most ${functionLinesMax}`;
    findings.push({ rule: "function size", path, line: lineOf(text, offset), message });
  }
  return findings;
}

function findingsOf(sources: Sources, dependencies: Dependencies): Finding[] {
  return Object.entries(sources).flatMap(([path, text]) => findingsIn(path, text, dependencies));
}

/** How much of the sources is above what we aim at: information, not a finding. */
function sizeReport(sources: Sources): string {
  const entries = Object.entries(sources);
  const spans = entries.flatMap(([path, text]) => {
    const facts = factsOf(path, text);
    return typeof facts === "string" ? [] : facts.functions;
  });
  const longFiles = entries.filter(([, text]) => countLines(text) > fileLinesAim).length;
  const longFunctions = spans.filter(({ lines }) => lines > functionLinesAim).length;
  return (
    `src: ${longFiles} of ${entries.length} files over ${fileLinesAim} lines, ` +
    `${longFunctions} of ${spans.length} functions over ${functionLinesAim} lines`
  );
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function readSources(): Sources {
  const folder = join(root, "src");
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = paths.filter((path) => path.endsWith(".ts")).sort();
  return Object.fromEntries(
    sources.map((path) => [path.split(sep).join("/"), readFileSync(join(folder, path), "utf8")]),
  );
}

function readDependencies(): Dependencies {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Partial<
    Record<"dependencies" | "optionalDependencies" | "peerDependencies", Record<string, string>>
  >;
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  return {
    runtime: Object.keys({ ...dependencies, ...optionalDependencies }),
    typesOnly: Object.keys({ ...peerDependencies }),
  };
}

describe("src/", () => {
  const sources = readSources();

  test("has sources", () => {
    expect(Object.keys(sources)).not.toEqual([]);
  });

  test("keeps every rule", () => {
    const findings = findingsOf(sources, readDependencies());
    const lines = findings.map(({ rule, path, line, message }) => {
      return `${path}:${line} [${rule}] ${message}`;
    });
    console.info(sizeReport(sources));
    expect(lines).toEqual([]);
  });
});

describe("the rules", () => {
  const dependencies: Dependencies = {
    runtime: ["prom-client", "csv-parse", "iovalkey"],
    typesOnly: ["fast-check"],
  };
  const body = (lines: number): string => "  void 0;\n".repeat(lines);
  const title = (path: string, text: string): string => `${path}: ${text.slice(0, 60).trim()}`;
  const rulesBrokenBy = (path: string, text: string): Rule[] =>
    findingsOf({ [path]: text }, dependencies).map(({ rule }) => rule);

  const faulty: [rule: Rule, path: string, text: string][] = [
    ["arrow", "base/a.ts", 'import { b } from "../env/b.js";'],
    ["arrow", "env/a.ts", 'import { b } from "../base/b.js";'],
    ["arrow", "base/a.ts", 'import type { B } from "../engine/b.js";'],
    ["arrow", "engine/a.ts", 'export { b } from "../engines/memory/b.js";'],
    ["arrow", "engines/memory/a.ts", 'export * from "../../operations/b.js";'],
    ["arrow", "operations/a.ts", 'import "../store/b.js";'],
    ["arrow", "store/a.ts", 'export const load = () => import("../transfer/b.js");'],
    ["arrow", "store/a.ts", 'import { b } from "../remote/b.js";'],
    ["arrow", "transfer/a.ts", 'export type B = import("../kv/b.js").B;'],
    ["arrow", "kv/a.ts", 'import b = require("../server/b.js");'],
    ["arrow", "testing/a.ts", 'import { b } from "../adapters/b.js";'],
    ["arrow", "kv/a.ts", "export const load = (name: string) => import(name);"],
    ["arrow", "engines/memory/a.ts", 'import { b } from "../wal/b.js";'],
    ["arrow", "engines/lmdb/a.ts", 'import { b } from "../memory/b.js";'],
    ["layer", "kv/a.ts", 'import { b } from "../index.js";'],
    ["layer", "kv/a.ts", 'import manifest from "../../package.json";'],
    ["layer", "utils/a.ts", "export const b = 1;"],
    ["layer", "a.ts", "export const b = 1;"],
    ["layer", "engines/a.ts", "export const b = 1;"],
    ["entry", "index.ts", 'export { b } from "./store/b.js";'],
    ["entry", "index.ts", 'export { b } from "./base/b.js";'],
    ["entry", "index.ts", 'export { b } from "./testing/index.js";'],
    ["index", "kv/index.ts", "export const b = 1;"],
    ["dependency", "kv/a.ts", 'import chalk from "chalk";'],
    ["dependency", "kv/a.ts", 'import { readFileSync } from "fs";'],
    ["dependency", "testing/a.ts", 'import fc from "fast-check";'],
    ["dependency", "transfer/a.ts", 'import { parse } from "csv-parse";'],
    ["dependency", "kv/a.ts", 'export const load = () => import("csv-parse");'],
    ["dependency", "remote/a.ts", 'import { Redis } from "iovalkey";'],
    ["dependency", "kv/a.ts", 'export const load = () => import("iovalkey");'],
    ["dependency", "k6/a.ts", 'import { createHash } from "node:crypto";'],
    ["dependency", "k6/a.ts", 'import { Registry } from "prom-client";'],
    ["dependency", "kv/a.ts", 'import http from "k6/http";'],
    ["await", "kv/a.ts", "export const b = await Promise.resolve(1);"],
    ["await", "kv/a.ts", "for await (const b of []) void b;"],
    ["syntax", "kv/a.ts", "export const = 1;"],
    ["file size", "kv/a.ts", "// A line.\n".repeat(fileLinesMax + 1)],
    ["function size", "kv/a.ts", `function b() {\n${body(functionLinesMax - 1)}}\n`],
    ["function size", "kv/a.ts", `class B {\n  b() {\n${body(functionLinesMax - 1)}  }\n}\n`],
    ["function size", "kv/a.ts", `const b = {\n  c: () => {\n${body(functionLinesMax)}  },\n};\n`],
  ];
  for (const [rule, path, text] of faulty) {
    test(`find [${rule}] in ${title(path, text)}`, () => {
      expect(rulesBrokenBy(path, text)).toEqual([rule]);
    });
  }

  const sound: [path: string, text: string][] = [
    ["engines/wal/a.ts", 'import { b } from "../memory/b.js";'],
    ["engines/memory/a.ts", 'import { b } from "./b.js";\nimport "../../engine/c.js";'],
    ["kv/a.ts", 'import { b } from "../base/b.js";\nimport { c } from "../env/c.js";'],
    ["testing/index.ts", 'export { b } from "./b.js";\nexport { c } from "../store/c.js";'],
    [
      "testing/a.ts",
      'import type fc from "fast-check";\nimport type { Arbitrary } from "fast-check";',
    ],
    ["kv/a.ts", 'import { Registry } from "prom-client";\nimport fs from "node:fs";'],
    ["transfer/a.ts", 'export const load = () => import("csv-parse");'],
    ["remote/a.ts", 'export const load = () => import("iovalkey");'],
    ["kv/a.ts", 'import { b } from "../remote/b.js";'],
    ["k6/a.ts", 'import http from "k6/http";\nimport { b } from "../kv/b.js";'],
    ["transfer/a.ts", 'import type { Parser } from "csv-parse";'],
    ["index.ts", 'export { b } from "./kv/b.js";\nexport { C } from "./base/errors.js";'],
    ["kv/a.ts", "export async function b(): Promise<void> {\n  await 0;\n}"],
    ["kv/a.ts", '// import "../server/b.js";\nexport const c = \'import "../server/b.js";\';'],
    ["kv/a.ts", "// A line.\n".repeat(fileLinesMax)],
    ["kv/a.ts", `function b() {\n${body(functionLinesMax - 2)}}\n`],
  ];
  for (const [path, text] of sound) {
    test(`find nothing in ${title(path, text)}`, () => {
      expect(rulesBrokenBy(path, text)).toEqual([]);
    });
  }

  test("the report counts what is over the aim", () => {
    const sources = {
      "kv/a.ts": `function b() {\n${body(functionLinesAim - 1)}}\n`,
      "kv/c.ts": `function d() {\n${body(functionLinesAim - 2)}}\n${"\n".repeat(fileLinesAim)}`,
    };
    expect(sizeReport(sources)).toBe(
      "src: 1 of 2 files over 250 lines, 1 of 2 functions over 30 lines",
    );
  });
});
