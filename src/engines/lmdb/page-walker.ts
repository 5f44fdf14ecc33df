// Page walker: reads an LMDB file page by page, without mapping it, and tells what is wrong with
// the pages that the newest state reaches.
//
// Invariants
// 1. Nothing is believed before it is checked, so no file, however damaged, makes the walk fail,
//    run for ever or read outside of the file: each page is entered once, and trees are only as deep
//    as they say.
// 2. Memory: one page per level of a tree, one bit per page of the file, `problemsMax` problems.
// 3. Of a healthy file every reachable page is whole: what may be missing at its end is free.
//
// Checked for each page: its number, kind, transaction, and the bounds of everything in it; that its
// nodes lie side by side; the order of its keys, and that they lie between those of the page above.
// For each tree: its depth, and the number of its pages and entries. Pages that are free must not be
// in use.
// There are no checksums in the file, so another byte in a value goes unnoticed.

import type { FileHandle } from "../../env/files.js";
import {
  type FileHeader,
  readTreeRecord,
  type TreeRecord,
  treeRecordBytes,
} from "./file-header.js";
import { forEachFreeRun, MalformedFreeList } from "./free-pages.js";
import {
  type LeafNode,
  looseNodes,
  MalformedPage,
  nodeOffsets,
  overflowPagesFor,
  overflowPagesIn,
  type PageKind,
  pageHeaderBytes,
  readBranchNode,
  readLeafNode,
  readPageHeader,
} from "./page-format.js";
import { PageSet } from "./page-set.js";

export interface PageProblem {
  readonly offset: number;
  readonly bytes: number;
  readonly what: string;
}

export interface WalkedTree {
  readonly name: string;
  readonly entries: number;
}

export interface Walk {
  /** Pages in use, and pages that the file says are free. */
  readonly pagesUsed: number;
  readonly pagesFree: number;
  readonly trees: readonly WalkedTree[];
  /** Names of databases; `trees` has the two of LMDB besides. */
  readonly databases: readonly string[];
  /** Whether rows stand where stores have nothing but databases by name. */
  readonly hasOthers: boolean;
  /** The first `problemsMax` problems; there may be more. */
  readonly problems: readonly PageProblem[];
}

export interface WalkOptions {
  /**
   * Called with every row that can be reached in the databases by name, in the order of the keys.
   * The bytes are the walker's again once it has returned; the walk waits for the promise, if any.
   */
  readonly visit?: (tree: string, key: Buffer, value: Buffer) => Promise<void> | undefined;
  readonly breathe?: () => Promise<void>;
}

export const problemsMax = 1_000;
/** LMDB's own bound. */
const depthMax = 32;
const metaPages = 2;
const integerKeys = 8;
const breathePages = 512;
const missingFault = "is missing at the end of the file";

/** A tree on which the walk is. Counts are what has been found. */
interface Tree {
  readonly name: string;
  readonly record: TreeRecord;
  readonly compare: (a: Buffer, b: Buffer) => number;
  readonly leaf: (node: LeafNode, page: number) => Promise<void>;
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

/** What the keys of a page may be: from `low` on, and below `high`. */
interface Bounds {
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
}

const unbounded: Bounds = { low: undefined, high: undefined };

function compareNumbers(a: Buffer, b: Buffer): number {
  return Number(a.readBigUInt64LE(0) - b.readBigUInt64LE(0));
}

/** Walks the state that `header` tells of. Resolves whatever is in the file; rejects if it cannot be read. */
export function walkPages(
  file: FileHandle,
  header: FileHeader,
  sizeBytes: number,
  options: WalkOptions = {},
): Promise<Walk> {
  return new PageWalk(file, header, sizeBytes, options).run();
}

class PageWalk {
  readonly #file: FileHandle;
  readonly #header: FileHeader;
  readonly #options: WalkOptions;
  readonly #pages: number;
  readonly #used: PageSet;
  readonly #problems: PageProblem[] = [];
  readonly #trees: WalkedTree[] = [];
  readonly #named: { name: string; record: TreeRecord }[] = [];
  readonly #buffers: Buffer[] = [];
  #free = 0;
  #freeBeyondEnd = 0;
  #hasOthers = false;

  constructor(file: FileHandle, header: FileHeader, sizeBytes: number, options: WalkOptions) {
    this.#file = file;
    this.#header = header;
    this.#options = options;
    const pages = Math.floor(sizeBytes / header.pageBytes);
    this.#pages = Math.min(pages, header.lastPage + 1) || 0;
    this.#used = new PageSet(this.#pages);
  }

  async run(): Promise<Walk> {
    const { free, main } = this.#header;
    await this.#tree("main", main, 0, (node) => this.#database(node));
    for (const { name, record } of this.#named) {
      await this.#tree(name, record, 0, (node) => this.#row(name, node));
    }
    // Last, because it is compared with what is in use.
    await this.#tree("free", free, integerKeys, (node, page) => this.#freeList(node, page));
    this.#compareLength();
    return {
      pagesUsed: this.#used.size,
      pagesFree: this.#free,
      trees: this.#trees,
      databases: this.#named.map(({ name }) => name),
      hasOthers: this.#hasOthers,
      problems: this.#problems,
    };
  }

  /** What the file lacks at its end has to be free. */
  #compareLength(): void {
    const lacking = this.#header.lastPage + 1 - this.#pages;
    if (lacking === this.#freeBeyondEnd || this.#problems.length > 0) return;
    this.#tell(
      this.#pages,
      `${lacking} pages are missing, and ${this.#freeBeyondEnd} of them are free`,
      0,
    );
  }

  #tell(page: number, what: string, pages = 1): void {
    if (this.#problems.length >= problemsMax) return;
    const { pageBytes } = this.#header;
    this.#problems.push({ offset: page * pageBytes, bytes: pages * pageBytes, what });
  }

  async #tree(
    name: string,
    record: TreeRecord,
    keyFlags: number,
    leaf: Tree["leaf"],
  ): Promise<void> {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    const compare = keyFlags === integerKeys ? compareNumbers : Buffer.compare;
    const tree: Tree = { name, record, compare, leaf, ...counts };
    const before = this.#problems.length;
    if ((record.flags & 0xff) !== keyFlags) this.#tell(0, `the tree ${name} is of another kind`);
    const isEmpty = record.root === undefined;
    if (isEmpty !== (record.depth === 0) || record.depth > depthMax) {
      this.#tell(0, `the tree ${name} has the depth ${record.depth}`);
    } else if (record.root !== undefined) {
      await this.#page(tree, record.root, record.depth, unbounded);
    }
    this.#trees.push({ name, entries: tree.entries });
    if (this.#problems.length === before) this.#compareCounts(tree);
  }

  #compareCounts(tree: Tree): void {
    for (const count of ["branchPages", "leafPages", "overflowPages", "entries"] as const) {
      if (tree[count] === tree.record[count]) continue;
      const what = `the tree ${tree.name} has ${tree[count]} ${count} and says ${tree.record[count]}`;
      this.#tell(0, what);
    }
  }

  /** `level`: how many levels there are from this page down, itself included. */
  async #page(tree: Tree, number: number, level: number, bounds: Bounds): Promise<void> {
    const kind = level > 1 ? "branch" : "leaf";
    const page = await this.#enter(tree, number, kind, level);
    if (page === undefined) return;
    try {
      const offsets = nodeOffsets(page);
      if (offsets.length === 0) throw new MalformedPage("it is empty");
      if (kind === "branch") await this.#branch(tree, number, page, offsets, level, bounds);
      else await this.#leaf(tree, number, page, offsets, bounds);
    } catch (error) {
      if (!(error instanceof MalformedPage)) throw error;
      this.#tell(number, `page ${number} of ${tree.name} is malformed: ${error.message}`);
    }
  }

  /** Reads a page that nothing else leads to; undefined when it is not what it should be. */
  async #enter(
    tree: Tree,
    number: number,
    kind: PageKind,
    level: number,
  ): Promise<Buffer | undefined> {
    const fault = this.#claim(number, 1);
    if (fault !== undefined) {
      this.#tell(number || 0, `page ${number} of ${tree.name} ${fault}`);
      return undefined;
    }
    const page = this.#bufferOf(level);
    if (this.#used.size % breathePages === 0) await this.#options.breathe?.();
    const length = await this.#file.read(page, 0, page.length, number * page.length);
    const isWhole = length === page.length;
    const wrong = isWhole ? this.#headerFault(page, number, kind) : missingFault;
    if (wrong === undefined) return page;
    this.#tell(number, `page ${number} of ${tree.name} ${wrong}`);
    return undefined;
  }

  #claim(number: number, pages: number): string | undefined {
    if (!(number >= metaPages) || !(number + pages - 1 <= this.#header.lastPage)) {
      return "does not exist";
    }
    if (number + pages > this.#pages) return missingFault;
    for (let page = number; page < number + pages; page++) {
      if (!this.#used.add(page)) return "is in use twice";
    }
    return undefined;
  }

  #headerFault(page: Buffer, number: number, kind: PageKind): string | undefined {
    const header = readPageHeader(page);
    if (header.number !== number) return `says that it is page ${header.number}`;
    if (header.kind !== kind) return `is not a ${kind} page`;
    if (header.transaction <= this.#header.transaction) return undefined;
    return "is of a later transaction";
  }

  #bufferOf(level: number): Buffer {
    const kept = this.#buffers[level] ?? Buffer.alloc(this.#header.pageBytes);
    this.#buffers[level] = kept;
    return kept;
  }

  async #branch(
    tree: Tree,
    number: number,
    page: Buffer,
    offsets: readonly number[],
    level: number,
    bounds: Bounds,
  ): Promise<void> {
    tree.branchPages++;
    const nodes = offsets.map((offset) => readBranchNode(page, offset));
    this.#tellLoose(tree, number, looseNodes(page, nodes).size);
    // The first key is not looked at: the bound of the page stands for it.
    const keys = nodes.slice(1).map(({ key }) => key);
    checkOrder(tree, keys, bounds);
    for (const [at, { child }] of nodes.entries()) {
      const low = at === 0 ? bounds.low : keys[at - 1];
      await this.#page(tree, child, level - 1, { low, high: keys[at] ?? bounds.high });
    }
  }

  async #leaf(
    tree: Tree,
    number: number,
    page: Buffer,
    offsets: readonly number[],
    bounds: Bounds,
  ): Promise<void> {
    tree.leafPages++;
    const nodes = offsets.map((offset) => readLeafNode(page, offset));
    const loose = looseNodes(page, nodes);
    this.#tellLoose(tree, number, loose.size);
    const keys = nodes.map(({ key }) => key);
    checkOrder(tree, keys, bounds);
    tree.entries += nodes.length;
    for (const node of nodes) {
      if (node.overflow !== undefined) tree.overflowPages += node.overflow.pages;
      if (node.isTree || !loose.has(node)) await tree.leaf(node, number);
    }
  }

  #tellLoose(tree: Tree, number: number, nodes: number): void {
    if (nodes === 0) return;
    this.#tell(number, `page ${number} of ${tree.name}: ${nodes} nodes do not lie side by side`);
  }

  async #database(node: LeafNode): Promise<void> {
    const { key, value, isTree } = node;
    if (isTree && value?.length === treeRecordBytes) {
      // lmdb ends names with a zero byte.
      const name = key.toString("utf8").replace(/\0$/, "");
      this.#named.push({ name, record: readTreeRecord(value, 0) });
    } else {
      this.#hasOthers = true;
      await this.#value("main", node, false);
    }
  }

  async #row(name: string, node: LeafNode): Promise<void> {
    const { visit } = this.#options;
    const value = await this.#value(name, node, visit !== undefined);
    if (value !== undefined) await visit?.(name, node.key, value);
  }

  /** The value of a node; with `whole` false, pages of its own are checked and not read through. */
  async #value(name: string, node: LeafNode, whole: boolean): Promise<Buffer | undefined> {
    if (node.isTree) return undefined;
    const { overflow, valueBytes } = node;
    if (overflow === undefined) return node.value;
    const { pageBytes } = this.#header;
    const { first, pages } = overflow;
    const fault =
      pages >= overflowPagesFor(valueBytes, pageBytes)
        ? this.#claim(first, pages)
        : `and its value of ${valueBytes} bytes do not fit together`;
    if (fault !== undefined) {
      this.#tell(first || 0, `page ${first} of ${name} ${fault}`, pages || 1);
      return undefined;
    }
    const bytes = Buffer.alloc(whole ? pages * pageBytes : pageHeaderBytes);
    await this.#file.read(bytes, 0, bytes.length, first * pageBytes);
    const wrong = this.#headerFault(bytes, first, "overflow");
    if (wrong !== undefined || overflowPagesIn(bytes) !== pages) {
      this.#tell(
        first,
        `page ${first} of ${name} ${wrong ?? "has another number of pages"}`,
        pages,
      );
      return undefined;
    }
    return bytes.subarray(pageHeaderBytes, pageHeaderBytes + valueBytes);
  }

  async #freeList(node: LeafNode, page: number): Promise<void> {
    const list = await this.#value("free", node, true);
    if (list === undefined) return;
    try {
      forEachFreeRun(list, (first, pages) => this.#freeRun(first, pages));
    } catch (error) {
      if (!(error instanceof MalformedFreeList)) throw error;
      this.#tell(page, `a list of free pages on page ${page} is malformed`);
    }
  }

  #freeRun(first: number, pages: number): void {
    this.#free += pages;
    if (first < metaPages || first + pages - 1 > this.#header.lastPage) {
      this.#tell(0, `page ${first} is free and does not exist`);
      return;
    }
    const end = Math.min(first + pages, this.#pages);
    this.#freeBeyondEnd += first + pages - Math.max(first, end);
    for (let page = first; page < end; page++) {
      if (this.#used.has(page)) this.#tell(page, `page ${page} is in use and said to be free`);
    }
  }
}

function checkOrder(tree: Tree, keys: readonly Buffer[], { low, high }: Bounds): void {
  if (tree.compare === compareNumbers && keys.some((key) => key.length !== 8)) {
    throw new MalformedPage("a key has another length");
  }
  let before = low;
  for (const [at, key] of keys.entries()) {
    const order = before === undefined ? 1 : tree.compare(key, before);
    // The first key may be the bound itself.
    if (order < 0 || (order === 0 && at > 0)) throw new MalformedPage("its keys are out of order");
    before = key;
  }
  if (before !== undefined && high !== undefined && keys.length > 0) {
    if (tree.compare(before, high) >= 0) throw new MalformedPage("a key belongs to a later page");
  }
}
