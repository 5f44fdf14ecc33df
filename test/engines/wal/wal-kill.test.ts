// kill -9: a writer is killed again and again, and an outside process, this one, remembers what it
// acknowledged. ANYKV_KILL_ROUNDS sets the number of rounds; continuous integration runs more.
//
// The writer adds to a counter, appends to a queue, and completes claimed items, and says so after
// each acknowledgement. A line of a pipe survives the writer, so what was said was acknowledged.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const rounds = Number(process.env.ANYKV_KILL_ROUNDS ?? 6);
const items = 100_000;

const writerSource = `
import { writeSync } from "node:fs";
import { openKv } from "anykv";
const [path, sync] = process.argv.slice(2);
const wal = { syncWrites: sync === "true", segmentSize: 65536, snapshotEvery: 262144 };
const kv = openKv({ backend: "wal", name: "killed", path, wal });
if (!(await kv.exists("loaded"))) {
  const entries = { loaded: true };
  for (let i = 0; i < ${items}; i++) entries["item:" + i] = i;
  await kv.setMany(entries);
}
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
writeSync(1, "ready\\n");
for (;;) {
  const count = await kv.incrementBy("count", 1);
  const length = await kv.append("queue", count);
  const claim = await kv.claimRandom({ prefix: "item:", ttl: 60_000 });
  await kv.completeClaim(claim);
  // Without syncWrites only what has reached the file survives the process.
  const appended = (await kv.stats()).disk.log.appended;
  while (sync !== "true" && (await kv.stats()).disk.log.written < appended) await nextTurn();
  writeSync(1, count + " " + length + " " + claim.key + " " + claim.token + "\\n");
}
`;

interface Said {
  readonly counts: number[];
  readonly lengths: number[];
  readonly completed: string[];
  readonly tokens: number[];
}

let compiled: CompiledPackage;

beforeAll(async () => {
  compiled = await compilePackage();
}, 60_000);

afterAll(() => compiled.remove());

/** Runs the writer until it has said `lines` lines, kills it, and returns what it had said. */
function writeUntilKilled(
  script: string,
  path: string,
  sync: boolean,
  lines: number,
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [script, path, String(sync)]);
    let text = "";
    let errors = "";
    writer.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    writer.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.split("\n").length > lines + 1) writer.kill("SIGKILL");
    });
    writer.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`the writer ended by itself: ${errors}`));
      else resolve(parse(text));
    });
  });
}

function parse(text: string): Said {
  // The last line may have been cut; what is not whole was not said.
  const lines = text
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "ready");
  const fields = lines.map((line) => line.split(" "));
  return {
    counts: fields.map(([count]) => Number(count)),
    lengths: fields.map(([, length]) => Number(length)),
    completed: fields.map(([, , key]) => key as string),
    tokens: fields.map(([, , , token]) => Number(token)),
  };
}

async function checkStore(kv: Kv, said: Said, everCompleted: Set<string>): Promise<void> {
  const count = (await kv.find<number>("count")) ?? 0;
  const queue = await kv.range<number>("queue");
  const saidCount = said.counts.at(-1);
  const saidLength = said.lengths.at(-1);
  // What was being written when the signal came may be there as well: at most one more.
  if (saidCount !== undefined && saidLength !== undefined) {
    expect(count - saidCount).toBeOneOf([0, 1]);
    expect(queue.length - saidLength).toBeOneOf([0, 1]);
  }
  expect(queue).toEqual([...new Set(queue)].sort((a, b) => a - b));
  expect(queue.at(-1) ?? 0).toBeLessThanOrEqual(count);
  const back = await kv.getMany([...everCompleted]);
  expect(back.filter((entry) => entry.exists)).toEqual([]);
}

describe.each([false, true])("kill -9 with syncWrites: %s", (sync) => {
  test(
    `loses nothing acknowledged in ${rounds} rounds`,
    async () => {
      const path = mkdtempSync(join(tmpdir(), "anykv-kill-"));
      const script = compiled.script("writer.mjs", writerSource);
      const everCompleted = new Set<string>();
      let lastToken = 0;
      try {
        for (let round = 0; round < rounds; round++) {
          const said = await writeUntilKilled(script, path, sync, 1 + ((round * 37) % 60));
          for (const key of said.completed) {
            expect(everCompleted.has(key), `${key} was completed twice`).toBe(false);
            everCompleted.add(key);
          }
          for (const token of said.tokens) {
            expect(token).toBeGreaterThan(lastToken);
            lastToken = token;
          }
          const kv = openKv({ backend: "wal", name: `killed-${sync}-${round}`, path });
          await checkStore(kv, said, everCompleted);
          await kv.close();
        }
      } finally {
        rmSync(path, { recursive: true, force: true });
      }
    },
    rounds * 20_000,
  );
});
