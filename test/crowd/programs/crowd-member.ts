// Crowd member: one of several processes that work on one store at the same time and say what each
// operation gave them. A line is written when the operation has been acknowledged, so that what was
// said holds after a kill.
//
//   i N            the counter became N            t KEY TOKEN FROM LATEST   a claim was granted
//   p KEY          a value was popped              h KEY                     its counter was raised
//   a N            N was appended                  e KEY TOKEN               it ended; "-": was lost
//   q N            an element was taken            s KEY                     a value was added
//   u KIND         it is unknown whether the operation happened             done  all has been done
//
// What is about to be begun, and a kill may leave half-told, is announced: "(a N", "(s KEY" and
// "(e KEY TOKEN UNTIL". FROM to UNTIL, or to LATEST when no end was announced, a claim was live for
// sure: in microseconds of the clock that all processes share.

import { writeSync } from "node:fs";
import { isKvError, type Kv, type OpenKvOptions, openKv } from "anykv";
import { seededRandom } from "anykv/testing";

const [options = "", name = "", seed = "", operations = ""] = process.argv.slice(2);
const { below } = seededRandom(Number(seed));
/** As many as a program has under way at once. */
const lanes = 16;
const leaseMs = 60_000;
/** The server's clock may be set right meanwhile. */
const slackMs = 1_000;

/** A connection may be killed while it is opened, too: that is told, and the store is opened anew. */
async function open(): Promise<Kv> {
  for (;;) {
    const store = openKv(JSON.parse(options) as OpenKvOptions);
    try {
      await store.exists("nothing");
      return store;
    } catch (error) {
      await store.close();
      if (!isKvError(error) || error.name !== "ServerConnectionError") throw error;
    }
  }
}

const kv = await open();

let pending = "";
function say(line: string): void {
  if (pending === "") setImmediate(flush);
  pending += `${line}\n`;
}
function flush(): void {
  const text = pending;
  pending = "";
  if (text !== "") writeSync(1, text);
}
/** Said at once: the operation has not begun. */
function announce(line: string): void {
  flush();
  writeSync(1, `(${line}\n`);
}

let made = 0;
const unique = (): string => `${name}-${seed}-${++made}`;
const now = (): number => Number(process.hrtime.bigint() / 1_000n);

/** What the operation gives, or undefined when nobody knows whether it happened. */
async function told<Result>(kind: string, work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isKvError(error) || error.name !== "OutcomeUnknownError") throw error;
    say(`u ${kind}`);
    return undefined;
  }
}

async function leased(): Promise<void> {
  const latest = now() + (leaseMs - slackMs) * 1_000;
  const claim = await told("t", kv.claimRandom({ prefix: "lease:", ttl: leaseMs }));
  if (claim === undefined || claim === null) return;
  say(`t ${claim.key} ${claim.token} ${now()} ${latest}`);
  const count = await told("h", kv.incrementBy(`held:${claim.key}`, 1, { claim }));
  if (count !== undefined) say(`h ${claim.key}`);
  announce(`e ${claim.key} ${claim.token} ${now()}`);
  const ended = await told("e", kv.completeClaim(claim, { deleteKey: false }));
  if (ended !== undefined) say(`${ended ? "e" : "-"} ${claim.key} ${claim.token}`);
}

async function add(kind: "s" | "a", what: string, work: () => Promise<unknown>): Promise<void> {
  announce(`${kind} ${what}`);
  if (
    (await told(
      kind,
      work().then(() => true),
    )) !== undefined
  )
    say(`${kind} ${what}`);
}

async function operate(): Promise<void> {
  const kind = below(10);
  if (kind < 3) {
    const count = await told("i", kv.incrementBy("counter", 1));
    if (count !== undefined) say(`i ${count}`);
  } else if (kind < 5) await leased();
  else if (kind === 5) {
    const entry = await told("p", kv.popRandom({ prefix: "pool:" }));
    if (entry !== undefined && entry !== null) say(`p ${entry.key}`);
  } else if (kind === 6) {
    const key = `pool:${unique()}`;
    await add("s", key, () => kv.set(key, key));
  } else if (kind === 7) {
    const element = unique();
    await add("a", element, () => kv.append("queue", element));
  } else if (kind === 8) {
    const element = await told("q", kv.popFirst<string>("queue"));
    if (element !== undefined && element !== null) say(`q ${element}`);
  } else await kv.count({ prefix: "pool:" });
}

let left = Number(operations);
await Promise.all(
  Array.from({ length: lanes }, async () => {
    while (left-- > 0) await operate();
  }),
);
await kv.close();
say("done");
flush();
