// A state lost rows whose deletion was taken back while it was being written. The walk ended after as
// many rows as there had been at its beginning, because rows that are added meanwhile come last and
// are in the log. But a deletion that is taken back adds its row at the end as well, behind rows that
// had been added since: the walk stopped before it, and no record of the log held it either.

import { seededRandom, virtualEnv } from "anykv/testing";
import { describe, expect, test } from "vitest";
import type { Transaction } from "../../src/engine/engine.js";
import { never } from "../../src/engine/engine.js";
import { walDefaults } from "../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../src/engines/wal/wal-engine.js";
import type { Random } from "../../src/env/env.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../src/testing/simulated-host.js";
import { contentOf } from "../engines/wal/crash-life.js";

const options = { ...walDefaults, path: "/store", trackKeys: false };
// Three such rows fill a block of the state.
const large = "x".repeat(100_000);
const host = new SimulatedHost();

class Refused extends Error {}

type Work = (transaction: Transaction) => void;

const put =
  (...keys: string[]): Work =>
  ({ values }) => {
    for (const key of keys) values.put(key, `${key} ${large}`, never);
  };

const remove =
  (...keys: string[]): Work =>
  ({ values }) => {
    for (const key of keys) values.delete(key);
  };

const clear: Work = ({ values }) => values.clear();

const all =
  (...parts: Work[]): Work =>
  (transaction) => {
    for (const part of parts) part(transaction);
  };

function commit(engine: WalEngine, work: Work): void {
  engine.write(work, undefined as never);
}

function takeBack(engine: WalEngine, work: Work): void {
  const refuse = (transaction: Transaction): void => {
    work(transaction);
    throw new Refused();
  };
  expect(() => engine.write(refuse, undefined)).toThrow(Refused);
}

/**
 * Writes the state of a store with rows `r0` to `r11`, and interferes whenever a part of it is
 * written; what comes back after a kill is compared with what was there. Resolves with the number of
 * rows in the state.
 */
async function expectKept(interfere: (engine: WalEngine, part: number) => void): Promise<number> {
  let engine: WalEngine | undefined;
  let part = 0;
  const before = ({ kind, path }: { kind: string; path: string }): void => {
    if (engine !== undefined && kind === "write" && path.endsWith(".tmp"))
      interfere(engine, part++);
  };
  const files = new SimulatedFiles({ observer: { before } });
  files.disk.makeDirectory("/store");
  const [first, second] = [host.start(), host.start()];
  try {
    engine = await WalEngine.open(virtualEnv({ files, processes: first }), options);
    commit(engine, put(...Array.from({ length: 12 }, (_, index) => `r${index}`)));
    await engine.compact();
    const expected = engine.read(contentOf, undefined);
    // What is in the log's buffer alone goes down with a killed process.
    await engine.close();
    host.kill(first);
    const disk = files.disk.clone();
    const env = virtualEnv({ files: new SimulatedFiles({ disk }), processes: second });
    const again = await WalEngine.open(env, options);
    const found = again.read(contentOf, undefined);
    if (found !== expected) throw new Error(`${keysIn(found)} came back of ${keysIn(expected)}`);
    return again.recovered.stateRows;
  } finally {
    host.kill(first);
    host.kill(second);
  }
}

function keysIn(content: unknown): string {
  const lines = String(content).split("\n");
  return `${lines.map((line) => line.split(" ")[1]).join()} (${String(content).length} bytes)`;
}

// Part 0 is the header, written before the first row is taken.
const cases: Record<string, (engine: WalEngine, part: number) => void> = {
  "one deletion taken back behind a new row": (engine, part) => {
    if (part !== 1) return;
    commit(engine, put("new"));
    takeBack(engine, remove("r11"));
  },
  "one deletion taken back behind more new rows than there were": (engine, part) => {
    if (part !== 1) return;
    commit(engine, put(...Array.from({ length: 20 }, (_, index) => `new${index}`)));
    takeBack(engine, remove("r11"));
  },
  "a deletion taken back again and again": (engine, part) => {
    if (part > 6) return;
    commit(engine, put(`new${part}`));
    takeBack(engine, all(remove("r11", "r10", "r5"), put("r5")));
  },
  "deletion and clearing taken back": (engine, part) => {
    if (part !== 1) return;
    commit(engine, put("new", "newer"));
    takeBack(engine, all(remove("r11"), clear, put("r0", "r11", "other"), remove("r0")));
  },
  "a clearing, and rows after it": (engine, part) => {
    if (part === 1) commit(engine, all(put("r0"), clear, put("r3", "new")));
    if (part === 2) takeBack(engine, all(put("late"), remove("r3")));
  },
  "a clearing of which all is taken back after another one": (engine, part) => {
    if (part === 0) commit(engine, put("new"));
    if (part === 1) takeBack(engine, all(clear, put("r1"), clear));
  },
  "rows deleted and put again": (engine, part) => {
    if (part !== 1) return;
    commit(engine, all(remove("r11", "r10"), put("new", "newer"), put("r10"), put("r11")));
    takeBack(engine, all(put("newest"), remove("r10", "new")));
  },
};

describe("a state keeps every row through", () => {
  test.each(Object.entries(cases))("%s", async (_, interfere) => {
    await expect(expectKept(interfere)).resolves.toBeGreaterThanOrEqual(12);
  });
});

function randomWork(random: Random): Work {
  const key = (): string =>
    random.below(3) === 0 ? `n${random.below(20)}` : `r${random.below(12)}`;
  const parts = Array.from({ length: 1 + random.below(4) }, (): Work => {
    const drawn = random.below(20);
    if (drawn === 0) return clear;
    return drawn < 10 ? put(key()) : remove(key());
  });
  return all(...parts);
}

test("a state keeps every row through 100 random interferences", async () => {
  let rows = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const interfere = (engine: WalEngine, part: number): void => {
      if (part > 20) return;
      for (let works = random.below(4); works > 0; works--) {
        const work = randomWork(random);
        if (random.below(2) === 0) commit(engine, work);
        else takeBack(engine, work);
      }
    };
    rows += await expectKept(interfere).catch((cause: unknown) => {
      throw new Error(`seed ${seed}: ${cause}`, { cause });
    });
  }
  expect(rows).toBeGreaterThan(100);
});
