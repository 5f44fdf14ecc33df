// YAML source: one document, what stands in it, and where.
//
// Invariants
// 1. Size and nesting are bounded before the composer sees the text: it recurses, and where its
//    stack ends V8 may end the process.
// 2. Nothing is expanded. An alias is followed when somebody asks for the value of its key, and
//    nobody asks deeper than a configuration is deep: neither a bomb nor a cycle of aliases unfolds.
// 3. What is read is what is written: a key that is given twice, has no value or bears a tag that
//    would need a program to understand it is refused.
// Everything is reported as `file:line:column`, counted from 1, of the key that is wrong.

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  visit,
} from "yaml";
import { type ErrorDetails, InvalidOptionsError } from "../../base/errors.js";
import { configBytesMax, configItemsMax, configLevelsMax } from "../../base/limits.js";

/** The parser's messages may repeat any length of the text. */
const messageCharsMax = 200;

/** A key with its value. */
export interface Entry {
  /** The full name: "anykv.stores.sessions". */
  readonly path: string;
  /** Where the key stands. */
  readonly offset: number;
  readonly node: unknown;
}

const plainTags = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

/** One more level for the map or list that a token is; undefined for all other tokens. */
function partsOf(token: CST.Token): readonly CST.Token[] | undefined {
  if (!("items" in token)) return undefined;
  const parts: CST.Token[] = [];
  for (const { key, value } of token.items) {
    if (key) parts.push(key);
    if (value) parts.push(value);
  }
  return parts;
}

export class YamlSource {
  readonly #file: string;
  readonly #lines = new LineCounter();
  // What each alias stands for; undefined when nothing before it has such an anchor.
  readonly #targets = new Map<Node, Node | undefined>();
  readonly #document: Document;

  /** @throws InvalidOptionsError when the text is not one well-formed document within the limits. */
  constructor(text: string, file: string) {
    this.#file = file;
    const bytes = Buffer.byteLength(text);
    if (bytes > configBytesMax) {
      throw new InvalidOptionsError(
        `${file}: a configuration must be at most ${configBytesMax} bytes, got ${bytes}`,
      );
    }
    // An offset then means the same to the parser and to an editor, which does not show the mark.
    this.#document = this.#compose(text.startsWith("\ufeff") ? text.slice(1) : text);
    this.#followAliases();
  }

  #compose(text: string): Document {
    const tokens = [...new Parser(this.#lines.addNewLine).parse(text)];
    this.#checkLevels(tokens);
    // Keys that are given twice are found here, in the maps that are ours, in linear time.
    const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
    const [document, second] = composer.compose(tokens, true, text.length);
    const [error] = document?.errors ?? [];
    if (error !== undefined) {
      this.fail(error.pos[0], error.message.slice(0, messageCharsMax), { cause: error });
    }
    if (second !== undefined) {
      const [, marker] = tokens.filter(({ type }) => type === "document") as CST.Document[];
      this.fail(marker?.offset ?? 0, "a second document begins; a configuration is a single one");
    }
    return document as Document;
  }

  // Without recursion: that is what it guards.
  #checkLevels(tokens: readonly CST.Token[]): void {
    const open: { token: CST.Token; level: number }[] = [];
    for (const token of tokens) {
      if (token.type === "document" && token.value) open.push({ token: token.value, level: 1 });
    }
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const parts = partsOf(next.token);
      if (parts === undefined) continue;
      if (next.level > configLevelsMax) {
        this.fail(next.token.offset, `nested deeper than ${configLevelsMax} levels`);
      }
      for (const token of parts) open.push({ token, level: next.level + 1 });
    }
  }

  #followAliases(): void {
    const anchors = new Map<string, Node>();
    visit(this.#document, {
      Node: (_, node) => {
        if (isAlias(node)) this.#targets.set(node, anchors.get(node.source));
        else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  /** Where an offset is, as it stands in front of a message. */
  place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }

  fail(offset: number, message: string, details?: ErrorDetails): never {
    throw new InvalidOptionsError(`${this.place(offset)}: ${message}`, details);
  }

  failAt({ path, offset }: Entry, message: string, details?: ErrorDetails): never {
    this.fail(offset, `${path} ${message}`, { ...details, key: path });
  }

  /** Those of the keys that are at the top; none in an empty document. Others are not looked at. */
  top(keys: readonly string[]): Map<string, Entry> {
    const { contents } = this.#document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
    if (!isMap(contents)) this.fail(contents.range?.[0] ?? 0, "the document must be a map");
    const ours = contents.items.filter(
      ({ key }) => isScalar(key) && keys.includes(key.value as string),
    );
    return this.#entries(ours, "");
  }

  /** The keys of a map, in their order; with `known`, of no others. */
  section(entry: Entry, known?: readonly string[]): Map<string, Entry> {
    const node = this.#valueOf(entry);
    if (!isMap(node)) this.failAt(entry, "must be a map");
    const entries = this.#entries(node.items, entry.path);
    for (const [key, found] of entries) {
      if (known === undefined || known.includes(key)) continue;
      this.failAt(found, `is not known; known are ${known.join(", ")}`);
    }
    return entries;
  }

  isMap(entry: Entry): boolean {
    return isMap(this.#valueOf(entry));
  }

  /** The items of a list; undefined for anything else. */
  items(entry: Entry): Entry[] | undefined {
    const list = this.#valueOf(entry);
    if (!isSeq(list)) return undefined;
    if (list.items.length > configItemsMax) {
      this.failAt(entry, `must have at most ${configItemsMax} items, got ${list.items.length}`);
    }
    return list.items.map((node, index) => ({
      path: `${entry.path}[${index}]`,
      offset: (isNode(node) ? node.range?.[0] : undefined) ?? entry.offset,
      node,
    }));
  }

  /** The value of a key as plain data; of a map or a list only that it is one. */
  scalar(entry: Entry): unknown {
    const node = this.#valueOf(entry);
    if (isScalar(node)) return node.value;
    return isSeq(node) ? [] : {};
  }

  #entries(pairs: readonly Pair[], path: string): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const { key: node, value } of pairs) {
      const offset = (isNode(node) ? node.range?.[0] : undefined) ?? 0;
      const key = isScalar(node) ? node.value : undefined;
      if (typeof key !== "string") this.fail(offset, `${path} has a key that is no text`);
      const entry = { path: path === "" ? key : `${path}.${key}`, offset, node: value };
      this.#refuseSecond(entries.get(key), entry);
      entries.set(key, entry);
    }
    return entries;
  }

  #refuseSecond(first: Entry | undefined, second: Entry): void {
    if (first === undefined) return;
    const { line } = this.#lines.linePos(first.offset);
    this.failAt(second, `is given twice, first in line ${line}`);
  }

  #valueOf(entry: Entry): unknown {
    const { node } = entry;
    const value = isAlias(node) ? this.#targets.get(node) : node;
    if (isAlias(node) && value === undefined) {
      this.failAt(entry, `refers to *${node.source}, and nothing before it is marked so`);
    }
    if (!isNode(value) || (isScalar(value) && value.value === null)) {
      this.failAt(entry, "has no value; leave the key out for its default");
    }
    const { tag } = value as { tag?: string };
    if (tag !== undefined && !plainTags.has(tag)) this.failAt(entry, `has the unknown tag ${tag}`);
    return value;
  }
}
