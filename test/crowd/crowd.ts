// The crowd: processes that work on one store at the same time, and the books that are kept of what
// they say.
//
// What a killed process was about to do may have been done: the books allow exactly that much.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Kv, OpenKvOptions } from "anykv";
import { expect } from "vitest";
import type { CompiledPackage } from "../processes/compiled-package.js";

/** The folder of the programs, for `compilePackage`. */
export const programs = "test/crowd/programs";
export const members = 8;
/** Enough that some are free however many members die with one in their hands. */
const leases = 2_000;
/** Operations that one member has under way at once. */
const lanes = 16;

/** The part in braces keeps a lease and the counter that it guards together. */
const leaseKeys = Array.from({ length: leases }, (_, lease) => `lease:{${lease}}`);

/** Adds what the members lease. */
export async function furnish(kv: Kv): Promise<void> {
  await kv.setMany(Object.fromEntries(leaseKeys.map((key) => [key, key])));
}

interface Grant {
  readonly key: string;
  /** From when to when it was live for sure, in microseconds. */
  readonly from: number;
  until: number;
}

export class Books {
  readonly #counts = new Set<number>();
  readonly #grants = new Map<number, Grant>();
  /** Keys or elements that were announced, added and taken. */
  readonly #pool = { announced: new Set<string>(), added: new Set<string>() };
  readonly #queue = { announced: new Set<string>(), added: new Set<string>() };
  readonly #popped = new Set<string>();
  readonly #taken = new Set<string>();
  /** By the kind of the operation. */
  readonly #uncertain = new Map<string, number>();
  readonly #awaited: { lines: number; reached: () => void }[] = [];
  #raised = 0;
  #ended = 0;
  #lost = 0;
  lines = 0;
  kills = 0;
  done = 0;

  note(line: string): void {
    this.lines++;
    while (this.lines >= (this.#awaited[0]?.lines ?? Infinity)) this.#awaited.shift()?.reached();
    const [kind, what = "", ...more] = line.split(" ");
    if (kind === "i") once(this.#counts, Number(what), "counted");
    else if (kind === "t") this.#grant(what, more.map(Number));
    else if (kind === "h") this.#raised++;
    else if (kind === "(e") this.#ending(more.map(Number));
    else if (kind === "e") this.#ended++;
    else if (kind === "-") this.#lost++;
    else if (kind === "u") this.#uncertain.set(what, (this.#uncertain.get(what) ?? 0) + 1);
    else if (kind === "p") once(this.#popped, what, "popped");
    else if (kind === "q") once(this.#taken, what, "taken from the queue");
    else if (kind === "(s") this.#pool.announced.add(what);
    else if (kind === "s") this.#pool.added.add(what);
    else if (kind === "(a") this.#queue.announced.add(what);
    else if (kind === "a") this.#queue.added.add(what);
    else if (kind === "done") this.done++;
    else throw new Error(`a line that means nothing: ${line}`);
  }

  #grant(key: string, [token = 0, from = 0, latest = 0]: number[]): void {
    expect(this.#grants.has(token), `token ${token} was granted twice`).toBe(false);
    this.#grants.set(token, { key, from, until: latest });
  }

  #ending([token = 0, until = 0]: number[]): void {
    const grant = this.#grants.get(token);
    if (grant === undefined) throw new Error(`token ${token} was never granted`);
    grant.until = until;
  }

  /** Resolves when the members have said so much; asked for in rising order by each who asks. */
  reaches(lines: number): Promise<void> {
    if (this.lines >= lines) return Promise.resolve();
    return new Promise((reached) => {
      this.#awaited.push({ lines, reached });
      this.#awaited.sort((a, b) => a.lines - b.lines);
    });
  }

  get uncertain(): number {
    return [...this.#uncertain.values()].reduce((sum, count) => sum + count, 0);
  }

  get summary(): string {
    return (
      `${this.lines} lines, ${this.kills} kills, ${this.#counts.size} counted, ` +
      `${this.#grants.size} claims, ${this.#popped.size} popped, ${this.#taken.size} taken, ` +
      `${this.uncertain} uncertain`
    );
  }

  /** Operations of these kinds that may have happened without being told. */
  #untold(...kinds: readonly string[]): number {
    const uncertain = kinds.map((kind) => this.#uncertain.get(kind) ?? 0);
    return uncertain.reduce((sum, count) => sum + count, this.kills * lanes);
  }

  /** Holds the store to the books, when nobody works on it any more. */
  async check(kv: Kv): Promise<void> {
    await this.#checkCounter(kv);
    await this.#checkClaims(kv);
    this.#checkTimes();
    const pool = await kv.listKeys({ prefix: "pool:" });
    checkMoved("pool", this.#pool, this.#popped, pool, this.#untold("p"));
    const queue = (await kv.range("queue")) as string[];
    checkMoved("queue", this.#queue, this.#taken, queue, this.#untold("q"));
    await checkCounts(kv);
  }

  async #checkCounter(kv: Kv): Promise<void> {
    const counter = (await kv.find<number>("counter")) ?? 0;
    const said = [...this.#counts].sort((a, b) => a - b);
    expect(said.at(-1) ?? 0).toBeLessThanOrEqual(counter);
    expect(counter - said.length).toBeGreaterThanOrEqual(0);
    expect(counter - said.length).toBeLessThanOrEqual(this.#untold("i"));
  }

  /** Whoever held a lease added to its counter while nobody else could hold it. */
  async #checkClaims(kv: Kv): Promise<void> {
    expect(this.#lost, "leases that were lost although they were live").toBe(0);
    const stillHeld = (await kv.allocationStats({ prefix: "lease:" })).claimedLive;
    expect(stillHeld).toBeLessThanOrEqual(this.#untold("t", "e"));
    const counters = await kv.getMany<number>(leaseKeys.map((key) => `held:${key}`));
    const held = counters.reduce((sum, entry) => sum + (entry.value ?? 0), 0);
    expect(held).toBeGreaterThanOrEqual(this.#raised);
    expect(held - this.#raised).toBeLessThanOrEqual(this.#untold("h"));
    expect(this.#grants.size - this.#ended).toBeLessThanOrEqual(this.#untold("e"));
  }

  /** Two claims of one key were never live at the same moment. */
  #checkTimes(): void {
    const grants = [...this.#grants.values()].sort((a, b) => a.from - b.from);
    const latest = new Map<string, Grant>();
    for (const grant of grants) {
      const { key, from } = grant;
      const before = latest.get(key);
      expect(before?.until ?? 0, `${key} was held twice at once`).toBeLessThanOrEqual(from);
      latest.set(key, grant);
    }
  }
}

function once<Item>(seen: Set<Item>, item: Item, what: string): void {
  expect(seen.has(item), `${item} was ${what} twice`).toBe(false);
  seen.add(item);
}

/** Everything that was added is either there or was taken, and nothing is both. */
function checkMoved(
  name: string,
  { announced, added }: { announced: ReadonlySet<string>; added: ReadonlySet<string> },
  taken: ReadonlySet<string>,
  there: readonly string[],
  untold: number,
): void {
  const left = new Set(there);
  expect(left.size, `${name}: each only once`).toBe(there.length);
  for (const item of left) {
    expect(taken.has(item), `${name}: ${item} was taken and is there`).toBe(false);
    expect(announced.has(item), `${name}: ${item} comes from nowhere`).toBe(true);
  }
  for (const item of taken) {
    expect(announced.has(item), `${name}: ${item} comes from nowhere`).toBe(true);
  }
  const missing = [...added].filter((item) => !left.has(item) && !taken.has(item));
  // Taken by somebody who was killed before saying so.
  expect(missing.length, `${name}: lost`).toBeLessThanOrEqual(untold);
}

/** The counted order of the keys agrees with the keys themselves, whichever way one asks. */
export async function checkCounts(kv: Kv): Promise<void> {
  const keys = await kv.listKeys();
  expect(await kv.size()).toBe(keys.length);
  const byPrefix = new Map<string, number>();
  for (const key of keys) {
    for (const length of [1, 2, 6]) {
      const prefix = key.slice(0, length);
      byPrefix.set(prefix, (byPrefix.get(prefix) ?? 0) + 1);
    }
  }
  for (const [prefix, count] of byPrefix) {
    const expected = keys.filter((key) => key.startsWith(prefix)).length;
    if (prefix.length === 6) expect(count).toBeLessThanOrEqual(expected);
    expect(await kv.count({ prefix }), `count of ${prefix}`).toBe(expected);
  }
  const paged: string[] = [];
  let cursor = "";
  do {
    const page = await kv.scanKeys({ limit: 777, cursor });
    paged.push(...page.keys);
    ({ cursor } = page);
  } while (cursor !== "");
  expect(paged).toEqual(keys);
  const found = await kv.getMany(keys);
  expect(found.filter((entry) => !entry.exists)).toEqual([]);
  const { index } = await kv.stats();
  if (index !== null) {
    expect(index).toMatchObject({ keysList: keys.length, keysMap: keys.length, consistent: true });
  }
  const all = await kv.randomKeys({ count: Math.max(1, keys.length) });
  expect(all.sort()).toEqual([...keys].sort());
}

export interface Work {
  /** With which a member opens the store; what JSON can hold. */
  readonly options: OpenKvOptions;
  readonly name: string;
  readonly seed: number;
  readonly operations: number;
}

export class Member {
  readonly #child: ChildProcess;
  readonly ended: Promise<void>;

  constructor(compiled: CompiledPackage, books: Books, work: Work) {
    const program = join(compiled.directory, programs, "crowd-member.js");
    const { options, name, seed, operations } = work;
    const args = [JSON.stringify(options), name, `${seed}`, `${operations}`];
    this.#child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let rest = "";
    let errors = "";
    this.ended = new Promise((resolve, reject) => {
      this.#child.stderr?.on("data", (chunk) => {
        errors += chunk;
      });
      this.#child.stdout?.on("data", (chunk) => {
        const lines = `${rest}${chunk}`.split("\n");
        rest = lines.pop() ?? "";
        try {
          for (const line of lines) books.note(line);
        } catch (error) {
          reject(error);
        }
      });
      this.#child.on("close", (code, signal) => {
        if (code === 0 || signal === "SIGKILL") resolve();
        else reject(new Error(`a member ended with ${code ?? signal}: ${errors}`));
      });
    });
    // Whoever awaits it is told; nobody may be there yet.
    this.ended.catch(() => {});
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get wasKilled(): boolean {
    return this.#child.signalCode === "SIGKILL";
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
