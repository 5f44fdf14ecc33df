// Verify partition: whether the structures of a partition fit together.
//
// It reads with plain commands, not through the library, and in pages, so that no call takes long. It
// is right for a store that nobody changes meanwhile, and needs memory for all its keys. What it
// checks is what docs/formats/valkey.md calls the invariants.

import { UnexpectedStoreOutputError } from "../base/errors.js";
import type { Reply } from "./connection.js";
import { bytesIn, listIn, numberIn, textIn } from "./replies.js";

/** Runs one command of the server. */
export type RunCommand = (...words: (string | number)[]) => Promise<Reply>;

const pageSize = 1_000;
/** From here on the library measures before it reads. */
const largeBytes = 16_384;
/** Names behind the tag that a partition may have, apart from those that the rows below lead to. */
const fixedNames = new Set([..."vkfdaicebtgn"]);

interface Rows {
  readonly values: ReadonlyMap<string, string>;
  readonly order: ReadonlyMap<string, string>;
  readonly free: ReadonlyMap<string, string>;
  readonly deadlines: ReadonlyMap<string, string>;
  readonly arrays: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, string>;
  readonly claims: ReadonlyMap<string, string>;
  readonly leases: ReadonlyMap<string, string>;
  readonly buckets: ReadonlyMap<string, string>;
  readonly titles: ReadonlyMap<string, string>;
  readonly counters: ReadonlyMap<string, string>;
}

/** What is wrong, a sentence each; nothing for a partition in order. O(n). */
export async function verifyPartition(run: RunCommand, tag: string): Promise<string[]> {
  const read = (name: string): Promise<Map<string, string>> => readAll(run, `${tag}:${name}`);
  const rows: Rows = {
    values: await read("v"),
    order: await read("k"),
    free: await read("f"),
    deadlines: await read("d"),
    arrays: await read("a"),
    lists: new Map([...(await read("i"))].map(([key, id]) => [key, idOf(id)])),
    claims: await read("c"),
    leases: await read("e"),
    buckets: await read("b"),
    titles: await read("t"),
    counters: await read("n"),
  };
  return [
    ...checkKeys(rows),
    ...checkClaims(rows),
    ...(await checkLists(run, tag, rows)),
    ...(await checkBuckets(run, tag, rows)),
    ...(await checkNames(run, tag, rows)),
  ];
}

/** Without the number of changes behind it. */
function idOf(id: string): string {
  return id.replace(/ [1-9]\d*$/, "");
}

/** Fields or members, with what belongs to each, in pages. */
async function readAll(run: RunCommand, name: string): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  const type = textIn(await run("TYPE", name));
  if (type === "none") return rows;
  const command = type === "hash" ? "HSCAN" : type === "zset" ? "ZSCAN" : undefined;
  if (command === undefined) throw new UnexpectedStoreOutputError(`${name} is a ${type}`);
  let cursor = "0";
  do {
    const [next, found] = listIn(await run(command, name, cursor, "COUNT", pageSize));
    const words = listIn(found);
    for (let index = 0; index < words.length; index += 2) {
      rows.set(textIn(words[index]), bytesIn(words[index + 1]).toString("latin1"));
    }
    cursor = textIn(next);
  } while (cursor !== "0");
  return rows;
}

/** Members that are in one of two collections only. */
function differences(
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
  what: string,
): string[] {
  const only = [...a.keys()].filter((key) => !b.has(key));
  const others = [...b.keys()].filter((key) => !a.has(key));
  return [...only, ...others].map((key) => `${JSON.stringify(key)}: ${what} differ`);
}

function checkKeys(rows: Rows): string[] {
  const { values, order, free, deadlines, arrays, lists, claims, counters } = rows;
  const { buckets, titles } = rows;
  const unclaimed = new Map([...values].filter(([key]) => !claims.has(key)));
  const faults = [
    ...differences(values, order, "values (v) and their order (k)"),
    ...differences(unclaimed, free, "values without a claim and free keys (f)"),
    ...differences(lists, arrays, "arrays (i) and their order (a)"),
    ...differences(buckets, titles, "buckets (b) and their order (t)"),
  ];
  for (const [key, value] of values) {
    if (!/^[jtb]/.test(value)) faults.push(`${JSON.stringify(key)}: its value has no kind`);
    if (value.length >= largeBytes && !counters.has("large")) {
      faults.push(`${JSON.stringify(key)}: its value is large, and nothing tells of it`);
    }
    if (lists.has(key)) faults.push(`${JSON.stringify(key)}: holds a value and an array`);
  }
  for (const key of deadlines.keys()) {
    if (values.has(key) || lists.has(key)) continue;
    faults.push(`${JSON.stringify(key)}: has a deadline (d) and is not there`);
  }
  for (const [name, scores] of Object.entries({ k: order, f: free, a: arrays, t: titles })) {
    if ([...scores.values()].some((score) => score !== "0")) faults.push(`${name}: scores differ`);
  }
  return faults;
}

function checkClaims({ values, claims, leases, counters }: Rows): string[] {
  const faults = differences(claims, leases, "claims (c) and ends of leases (e)");
  const highest = Number(counters.get("token") ?? 0);
  const tokens = new Set<string>();
  for (const [key, claim] of claims) {
    const token = /^([1-9]\d*) /.exec(claim)?.[1];
    if (!values.has(key)) faults.push(`${JSON.stringify(key)}: is claimed and has no value`);
    if (token === undefined || Number(token) > highest || tokens.has(token)) {
      faults.push(`${JSON.stringify(key)}: its claim "${claim}" has no token of its own`);
    } else tokens.add(token);
  }
  return faults;
}

async function checkLists(
  run: RunCommand,
  tag: string,
  { lists, counters }: Rows,
): Promise<string[]> {
  const faults: string[] = [];
  const highest = Number(counters.get("list") ?? 0);
  for (const [key, id] of lists) {
    if (!(Number(id) >= 1 && Number(id) <= highest)) faults.push(`${key}: its id is ${id}`);
    if (numberIn(await run("LLEN", `${tag}:l:${id}`)) > 0) continue;
    faults.push(`${JSON.stringify(key)}: its array has no elements`);
  }
  if (new Set(lists.values()).size < lists.size) faults.push("two arrays have the same id");
  return faults;
}

/** A bucket has items, and is listed with a moment not after the first deadline of them. */
async function checkBuckets(
  run: RunCommand,
  tag: string,
  { buckets, counters }: Rows,
): Promise<string[]> {
  const faults: string[] = [];
  const generation = counters.get("generation") ?? "0";
  for (const [bucket, score] of buckets) {
    const name = `${tag}:m:${generation}:${bucket}`;
    const [, first] = listIn(await run("ZRANGE", name, 0, 0, "WITHSCORES"));
    if (first === undefined) faults.push(`the bucket ${JSON.stringify(bucket)} has no items`);
    else if (scoreOf(score) > scoreOf(textIn(first))) {
      faults.push(`the bucket ${JSON.stringify(bucket)} is listed too late`);
    }
  }
  return faults;
}

function scoreOf(text: string): number {
  if (text === "inf") return Infinity;
  return text === "-inf" ? -Infinity : Number(text);
}

/** Every key with the tag belongs to something. */
async function checkNames(run: RunCommand, tag: string, rows: Rows): Promise<string[]> {
  const { lists, buckets, counters } = rows;
  const generation = counters.get("generation") ?? "0";
  const known = new Set<string>(fixedNames);
  for (const id of lists.values()) known.add(`l:${id}`);
  for (const bucket of buckets.keys()) known.add(`m:${generation}:${bucket}`);
  const retired = listIn(await run("LRANGE", `${tag}:g`, 0, -1)).map(textIn);
  for (const name of retired) await addRetired(run, tag, name, known);
  // Of a restore that is under way; replies that are kept; the time of tests.
  const others = counters.has("loading") ? /^(s|r|l|m):|^clock$/ : /^r:|^clock$/;
  const found = await namesWith(run, tag);
  return found
    .filter((name) => !known.has(name) && !others.test(name))
    .map((name) => `the key ${JSON.stringify(`${tag}:${name}`)} belongs to nothing`);
}

async function addRetired(
  run: RunCommand,
  tag: string,
  name: string,
  known: Set<string>,
): Promise<void> {
  known.add(name);
  const [kind, number] = name.split(":");
  if (kind === "x") known.add(`o:${number}`);
  for (const [member, value] of await readAll(run, `${tag}:${name}`)) {
    known.add(kind === "x" ? `l:${idOf(value)}` : `m:${number}:${member}`);
    if (kind === "x") known.add(`s:x:${idOf(value)}`);
  }
}

async function namesWith(run: RunCommand, tag: string): Promise<string[]> {
  const names = new Set<string>();
  const pattern = `${tag.replace(/[\\*?[\]]/g, "\\$&")}:*`;
  let cursor = "0";
  do {
    const [next, found] = listIn(await run("SCAN", cursor, "MATCH", pattern, "COUNT", pageSize));
    for (const name of listIn(found)) names.add(textIn(name).slice(tag.length + 1));
    cursor = textIn(next);
  } while (cursor !== "0");
  return [...names];
}
