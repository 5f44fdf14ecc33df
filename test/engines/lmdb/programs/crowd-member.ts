// Crowd member: one of several processes that work on one store at the same time and say what each
// operation gave them. A line is written when the operation is durable, so that what was said holds
// after a kill.
//
//   i N            the counter became N            t KEY TOKEN     a claim was granted
//   p KEY          a value was popped              e KEY TOKEN     it ended; "- KEY TOKEN" when lost
//   a N            N was appended                  s KEY           a value was added
//   q N            an element was taken            done            everything has been done
//
// What is about to be begun, and a kill may leave half-told, is announced: "(a N", "(s KEY".

import { writeSync } from "node:fs";
import { openKv } from "anykv";
import { seededRandom } from "anykv/testing";

const [path = "", name = "", seed = "", operations = ""] = process.argv.slice(2);
const { below } = seededRandom(Number(seed));
/** As many as a program has under way at once. */
const lanes = 16;

const kv = openKv({ backend: "disk", name: "crowd", path, disk: { timeout: 0 } });

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

async function leased(): Promise<void> {
  const claim = await kv.claimRandom({ prefix: "lease:", ttl: 60_000 });
  if (claim === null) return;
  say(`t ${claim.key} ${claim.token}`);
  await kv.incrementBy(`held:${claim.key}`, 1, { claim });
  const ended = await kv.completeClaim(claim, { deleteKey: false });
  say(`${ended ? "e" : "-"} ${claim.key} ${claim.token}`);
}

async function operate(): Promise<void> {
  const kind = below(10);
  if (kind < 3) say(`i ${await kv.incrementBy("counter", 1)}`);
  else if (kind < 5) await leased();
  else if (kind === 5) {
    const entry = await kv.popRandom({ prefix: "pool:" });
    if (entry !== null) say(`p ${entry.key}`);
  } else if (kind === 6) {
    const key = `pool:${unique()}`;
    announce(`s ${key}`);
    await kv.set(key, key);
    say(`s ${key}`);
  } else if (kind === 7) {
    const element = unique();
    announce(`a ${element}`);
    await kv.append("queue", element);
    say(`a ${element}`);
  } else if (kind === 8) {
    const element = await kv.popFirst<string>("queue");
    if (element !== null) say(`q ${element}`);
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
