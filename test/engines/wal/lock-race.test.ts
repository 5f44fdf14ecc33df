// The lock of a directory between real processes: of several that come at once, on an empty
// directory, on a lock that a killed process has left, or while the owner lets go, never two win, and
// where nobody else is there exactly one does. ANYKV_LOCK_ROUNDS sets the number of rounds.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeProcesses } from "../../../src/env/processes.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { type Answer, Contender } from "./lock-contender.js";

const rounds = Number(process.env.ANYKV_LOCK_ROUNDS ?? 300);
/** Long enough for a line to reach a process that waits for it. */
const leadMs = 3;

let compiled: CompiledPackage;
let directory: string;
let contenders: Contender[];
/** What a process that was killed has left. */
let stale: Buffer;

beforeAll(async () => {
  compiled = await compilePackage();
  directory = mkdtempSync(join(tmpdir(), "anykv-lock-"));
  contenders = Array.from({ length: 3 }, () => new Contender(compiled));
  const victim = new Contender(compiled);
  const path = join(directory, "stale");
  expect(await victim.take(path)).toEqual({ won: true });
  await victim.kill();
  stale = readFileSync(path);
}, 60_000);

afterAll(async () => {
  await Promise.all(contenders.map((contender) => contender.kill()));
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

function refusal(path: string, owners: readonly number[]): object {
  const pids = owners.join("|");
  return {
    won: false,
    name: "DiskStoreOpenError",
    message: expect.stringMatching(new RegExp(`^${path} is in use by process (${pids})$`)),
  };
}

/** All of them at once; resolves with the winners. */
async function race(path: string, racers: readonly Contender[]): Promise<Contender[]> {
  const moment = Date.now() + leadMs;
  const answers = await Promise.all(racers.map((racer) => racer.take(path, moment)));
  const winners = racers.filter((_, index) => answers[index]?.won === true);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1) return winners;
  for (const answer of answers.filter(({ won }) => won !== true)) {
    expect(answer).toEqual(refusal(path, [winner.pid]));
  }
  return winners;
}

test(
  `in ${rounds} rounds one of two wins, on nothing and on a stale lock`,
  async () => {
    const wins = new Map<number, number>();
    for (let round = 0; round < rounds; round++) {
      const path = join(directory, `race-${round}`);
      if (round % 2 === 0) writeFileSync(path, stale);
      const racers = contenders.slice(0, round % 3 === 0 ? 3 : 2);
      const winners = await race(path, racers);
      expect(winners, `round ${round}`).toHaveLength(1);
      for (const { pid } of winners) wins.set(pid, (wins.get(pid) ?? 0) + 1);
      for (const winner of winners) await winner.free();
      rmSync(path);
    }
    const counts = [...wins.values()];
    console.info(`lock: ${rounds} rounds, won ${counts.join(", ")} times by each process`);
    // Otherwise they did not come at once, and the rounds show nothing.
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(counts.length).toBeGreaterThan(1);
  },
  60_000 + rounds * 100,
);

test(
  `in ${rounds} rounds an owner lets go while two want the lock: never two have it`,
  async () => {
    const path = join(directory, "handed-over");
    const [first, ...others] = contenders as [Contender, Contender, Contender];
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      expect(await first.take(path)).toEqual({ won: true });
      const moment = Date.now() + (round % leadMs);
      const attempts = others.map((other) => other.take(path, moment));
      const freed = first.free();
      const answers: Answer[] = await Promise.all(attempts);
      await freed;
      const winners = others.filter((_, index) => answers[index]?.won === true);
      expect(winners.length, `round ${round}`).toBeLessThan(2);
      taken += winners.length;
      for (const winner of winners) await winner.free();
    }
    console.info(`lock: handed over in ${taken} of ${rounds} rounds`);
  },
  60_000 + rounds * 100,
);

describe("another process", () => {
  test("is told which process has the directory, and where", async () => {
    const [contender] = contenders as [Contender];
    const path = join(directory, "store");
    const kv = openKv({ backend: "wal", name: "locked", path });
    await kv.set("a", 1);
    const lock = join(path, "LOCK");
    expect(await contender.take(lock)).toEqual(refusal(lock, [process.pid]));
    await kv.close();
    expect(await contender.take(lock)).toEqual({ won: true });
    await using refused = openKv({ backend: "wal", name: "refused", path });
    await expect(refused.get("a")).rejects.toMatchObject({
      name: "DiskStoreOpenError",
      message: `${lock} is in use by process ${contender.pid}`,
    });
    await contender.free();
  });

  test("opens what a killed one had open", async () => {
    const path = join(directory, "killed");
    const victim = new Contender(compiled);
    await victim.take(path);
    const [contender] = contenders as [Contender];
    expect(await contender.take(path)).toEqual(refusal(path, [victim.pid]));
    await victim.kill();
    expect(await contender.take(path)).toEqual({ won: true });
    await contender.free();
  });

  // Where the system does not say when a process was started, a number is all there is.
  test.runIf(nodeProcesses.startOf(process.pid) !== "")(
    "opens what a killed one had open whose number another process has now",
    async () => {
      const path = join(directory, "number");
      const [first, second] = contenders as [Contender, Contender];
      const [, line = ""] = /^[0-9a-f]+ (\{.*\})$/m.exec(stale.toString()) ?? [];
      const json = JSON.stringify({ ...JSON.parse(line), pid: first.pid });
      writeFileSync(path, `${crc32(json).toString(16)} ${json}\n`);
      expect(await second.take(path)).toEqual({ won: true });
      await second.free();
    },
  );
});
