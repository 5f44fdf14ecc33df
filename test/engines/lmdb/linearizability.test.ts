// Concurrent histories of several processes on one store are linearizable, key by key: registers with
// counters and compare-and-swap, and claims. ANYKV_LINEAR_ROUNDS sets the number of histories,
// ANYKV_LINEAR_OPERATIONS the operations of each process, ANYKV_SEED the first seed.
//
// That the checker can tell is shown on invented histories, and on real ones with a stale cache.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import {
  type LeaseInput,
  lease,
  linearize,
  noEnd,
  type Operation,
  type RegisterInput,
  register,
} from "./linearizability.js";

const rounds = Number(process.env.ANYKV_LINEAR_ROUNDS ?? 4);
const operations = Number(process.env.ANYKV_LINEAR_OPERATIONS ?? 300);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);
const processes = 4;

type Answer = number | boolean | null;
type Line = { key: string; input: { kind: string }; output: Answer; begin: string; end: string };

let compiled: CompiledPackage;
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  directory = mkdtempSync(join(tmpdir(), "anykv-linear-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

class Historian {
  readonly ready: Promise<void>;
  readonly lines: Promise<Line[]>;
  readonly #start: () => void;

  constructor(args: readonly string[]) {
    const program = join(compiled.directory, "test/engines/lmdb/programs/historian.js");
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    this.#start = () => child.stdin.end("go\n");
    this.ready = new Promise((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("error", reject);
    });
    this.lines = new Promise((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        text += chunk;
      });
      child.on("close", (code) => {
        if (code !== 0) return reject(new Error(`a historian ended with ${code}`));
        const lines = text.split("\n").slice(1, -1);
        resolve(lines.map((line) => JSON.parse(line) as Line));
      });
    });
  }

  start(): void {
    this.#start();
  }
}

/** The history of several processes at once, by key. */
async function record(seed: number, mode: string): Promise<Map<string, Line[]>> {
  const path = join(directory, `store-${mode}-${seed}`);
  {
    await using kv = openKv({ backend: "disk", name: `${mode}-${seed}`, path });
    await kv.setMany({ "lease:0": 0, "lease:1": 1 });
  }
  const crowd = Array.from(
    { length: processes },
    (_, number) => new Historian([path, `${seed * processes + number}`, `${operations}`, mode]),
  );
  await Promise.all(crowd.map(({ ready }) => ready));
  for (const historian of crowd) historian.start();
  const byKey = new Map<string, Line[]>();
  for (const line of (await Promise.all(crowd.map(({ lines }) => lines))).flat()) {
    const known = byKey.get(line.key);
    if (known === undefined) byKey.set(line.key, [line]);
    else known.push(line);
  }
  return byKey;
}

function parse<Input>(lines: readonly Line[]): Operation<Input, Answer>[] {
  return lines.map(({ input, output, begin, end }) => ({
    input: input as Input,
    output,
    begin: BigInt(begin),
    end: BigInt(end),
  }));
}

function explains(key: string, lines: readonly Line[]): boolean {
  const order = key.startsWith("lease:")
    ? linearize(lease, parse<LeaseInput>(lines))
    : linearize(register, parse<RegisterInput>(lines));
  return order !== undefined;
}

/** How many operations overlapped with at least one other: otherwise nothing is shown. */
function overlaps(lines: readonly Line[]): number {
  const operations = parse(lines).sort((a, b) => (a.begin < b.begin ? -1 : 1));
  return operations.filter((each, index) => {
    const following = operations[index + 1];
    return following !== undefined && following.begin < each.end;
  }).length;
}

describe("histories of several processes", () => {
  test(
    `${rounds} histories of ${processes} processes with ${operations} operations each`,
    async () => {
      let checked = 0;
      let overlapping = 0;
      for (let round = 0; round < rounds; round++) {
        const seed = firstSeed + round;
        for (const [key, lines] of await record(seed, "plain")) {
          expect(explains(key, lines), `${key}, ANYKV_SEED=${seed}`).toBe(true);
          checked += lines.length;
          overlapping += overlaps(lines);
        }
      }
      console.info(`linearizable: ${checked} operations, ${overlapping} of them overlapping`);
      expect(overlapping).toBeGreaterThan(checked / 10);
    },
    60_000 + rounds * 30_000,
  );

  test("a cache that nobody invalidates is noticed", async () => {
    const histories = await record(firstSeed, "stale");
    const verdicts = [...histories].map(([key, lines]) => explains(key, lines));
    expect(verdicts).toContain(false);
  });
});

describe("the checker", () => {
  const operation = <Input>(
    input: Input,
    output: Answer | undefined,
    begin: number,
    end: number,
  ): Operation<Input, Answer> => ({ input, output, begin: BigInt(begin), end: BigInt(end) });
  const write = (value: number) => ({ kind: "write", value }) as const;
  const read = { kind: "read" } as const;
  const add = { kind: "add" } as const;

  test.each([
    [
      "a read that overlaps a write may see either value",
      true,
      [
        operation<RegisterInput>(write(1), 0, 0, 1),
        operation<RegisterInput>(write(2), 0, 2, 9),
        operation<RegisterInput>(read, 2, 3, 4),
        operation<RegisterInput>(read, 2, 5, 6),
      ],
    ],
    [
      "a read after a read may not go back",
      false,
      [
        operation<RegisterInput>(write(1), 0, 0, 1),
        operation<RegisterInput>(write(2), 0, 2, 9),
        operation<RegisterInput>(read, 2, 3, 4),
        operation<RegisterInput>(read, 1, 5, 6),
      ],
    ],
    [
      "a read after a write may not miss it",
      false,
      [operation<RegisterInput>(write(1), 0, 0, 1), operation<RegisterInput>(read, null, 2, 3)],
    ],
    [
      "two additions never give the same sum",
      false,
      [operation<RegisterInput>(add, 1, 0, 5), operation<RegisterInput>(add, 1, 1, 6)],
    ],
    [
      "additions may be counted in either order",
      true,
      [operation<RegisterInput>(add, 2, 0, 5), operation<RegisterInput>(add, 1, 1, 6)],
    ],
    [
      "an operation without an answer may have happened late, or never",
      true,
      [
        operation<RegisterInput>(write(1), undefined, 0, Number(noEnd)),
        operation<RegisterInput>(read, null, 1, 2),
        operation<RegisterInput>(read, 1, 3, 4),
      ],
    ],
  ])("%s", (_, expected, history) => {
    expect(linearize(register, history) !== undefined).toBe(expected);
  });

  test("a key that is held cannot be claimed, and tokens rise", () => {
    const claim = { kind: "claim" } as const;
    const release = (token: number) => ({ kind: "release", token }) as const;
    const first = operation<LeaseInput>(claim, 1, 0, 1);
    expect(linearize(lease, [first, operation<LeaseInput>(claim, 2, 2, 3)])).toBeUndefined();
    const released = [first, operation<LeaseInput>(release(1), true, 2, 3)];
    expect(linearize(lease, [...released, operation<LeaseInput>(claim, 2, 4, 5)])).toBeDefined();
    expect(linearize(lease, [...released, operation<LeaseInput>(claim, 1, 4, 5)])).toBeUndefined();
    expect(
      linearize(lease, [...released, operation<LeaseInput>(claim, null, 4, 5)]),
    ).toBeUndefined();
  });
});
