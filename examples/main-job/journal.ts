// Journal: what the users of one process did, told in a file that outlives the process.
//
// A line is written in one call, at once: a process that is killed leaves all that it told, and no
// line comes later than what it tells about. Moments (`...At`) are microseconds of the clock that
// all processes of a machine share and nobody sets; leases are compared by wall time (`...Ms`).
//
//   granted <key> <token> <askedAt> <toldAt> <toldMs> <liveUntilMs>
//   renewed <key> <token> <askedAt> <liveUntilMs>
//   wrote <key> <token> <askedAt>
//   leaving <key> <token> <askedAt>        written before the store is asked
//   completed <key> <token>
//   followed <key> <token>
//   reported
//   violation <text>

import { createReadStream, writeSync } from "node:fs";
import type { ClaimRef } from "anykv";
import type { Watch } from "./watch.js";

const now = (): number => Number(process.hrtime.bigint() / 1_000n);

export class JournalWriter implements Watch {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  claiming(leaseMs: number): (claim: ClaimRef) => void {
    const askedAt = now();
    const liveUntilMs = Date.now() + leaseMs;
    return (claim) => this.#tell("granted", claim, askedAt, now(), Date.now(), liveUntilMs);
  }

  renewing(claim: ClaimRef, leaseMs: number): () => void {
    const askedAt = now();
    const liveUntilMs = Date.now() + leaseMs;
    return () => this.#tell("renewed", claim, askedAt, liveUntilMs);
  }

  writing(claim: ClaimRef): () => void {
    const askedAt = now();
    return () => this.#tell("wrote", claim, askedAt);
  }

  releasing(claim: ClaimRef): void {
    this.#tell("leaving", claim, now());
  }

  completing(claim: ClaimRef): () => void {
    this.#tell("leaving", claim, now());
    return () => this.#tell("completed", claim);
  }

  followed(claim: ClaimRef): void {
    this.#tell("followed", claim);
  }

  reported(): void {
    writeSync(this.#fd, "reported\n");
  }

  violation(message: string): void {
    writeSync(this.#fd, `violation ${message.replaceAll("\n", " ")}\n`);
  }

  #tell(kind: string, { key, token }: ClaimRef, ...numbers: readonly number[]): void {
    writeSync(this.#fd, `${[kind, key, token, ...numbers].join(" ")}\n`);
  }
}

/** The lines of a journal, from its beginning; a last one that a kill has cut is left out. */
export async function* journalLines(fd: number): AsyncGenerator<string> {
  const chunks = createReadStream("", { fd, start: 0, autoClose: false, encoding: "utf8" });
  let rest = "";
  for await (const chunk of chunks as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
