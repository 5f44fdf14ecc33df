// Histories: what several processes did with a few keys at the same time, and whether an order of
// their operations explains it.

import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Kv, OpenKvOptions } from "anykv";
import type { CompiledPackage } from "../processes/compiled-package.js";
import { programs } from "./crowd.js";
import {
  type LeaseInput,
  lease,
  linearize,
  noEnd,
  type Operation,
  type RegisterInput,
  register,
} from "./linearizability.js";

export const processes = 4;

export type Answer = number | boolean | null;
/** Without an output nobody knows whether it happened. */
export interface Line {
  readonly key: string;
  readonly input: { readonly kind: string };
  readonly output?: Answer;
  readonly begin: string;
  readonly end: string;
}

export interface Recording {
  readonly compiled: CompiledPackage;
  /** With which a process opens the store; what JSON can hold. */
  readonly options: OpenKvOptions;
  readonly seed: number;
  /** Of each process. */
  readonly operations: number;
  /** "stale" for processes that read from a cache. */
  readonly mode: "plain" | "stale";
  /** Called for about every twentieth operation. */
  readonly onProgress?: () => void;
}

class Historian {
  readonly ready: Promise<void>;
  readonly lines: Promise<Line[]>;
  readonly #start: () => void;

  constructor(recording: Recording, number: number) {
    const { compiled, options, seed, operations, mode, onProgress } = recording;
    const program = join(compiled.directory, programs, "historian.js");
    const own = `${seed * processes + number}`;
    const args = [program, JSON.stringify(options), own, `${operations}`, mode];
    const child = spawn(process.execPath, args, {
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
        for (const _ of `${chunk}`.matchAll(/^\.$/gm)) onProgress?.();
      });
      child.on("close", (code) => {
        if (code !== 0) return reject(new Error(`a historian ended with ${code}`));
        const lines = text.split("\n").filter((line) => line.startsWith("{"));
        resolve(lines.map((line) => JSON.parse(line) as Line));
      });
    });
  }

  start(): void {
    this.#start();
  }
}

/** Adds what is claimed, in that many operations of each process. */
export async function furnishLeases(kv: Kv, operations: number): Promise<void> {
  const eras = Array.from({ length: operations / 100 + 1 }, (_, era) => era);
  const keys = eras.flatMap((era) => [`lease:${era}:0`, `lease:${era}:1`]);
  await kv.setMany(Object.fromEntries(keys.map((key) => [key, 0])));
}

/** The history of several processes at once, by key. */
export async function record(recording: Recording): Promise<Map<string, Line[]>> {
  const crowd = Array.from({ length: processes }, (_, number) => new Historian(recording, number));
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
    end: output === undefined ? noEnd : BigInt(end),
  }));
}

export function explains(key: string, lines: readonly Line[]): boolean {
  const order = key.startsWith("lease:")
    ? linearize(lease, parse<LeaseInput>(lines))
    : linearize(register, parse<RegisterInput>(lines));
  return order !== undefined;
}

/** How many operations overlapped with at least one other: otherwise nothing is shown. */
export function overlaps(lines: readonly Line[]): number {
  const operations = parse(lines).sort((a, b) => (a.begin < b.begin ? -1 : 1));
  return operations.filter((each, index) => {
    const following = operations[index + 1];
    return following !== undefined && following.begin < each.end;
  }).length;
}
