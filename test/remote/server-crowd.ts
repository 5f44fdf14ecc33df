// A crowd of processes at work on one store, on a server or on a cluster, while connections are killed
// and processes with -9; the books are checked against the store afterwards, and its layout is verified.
//
// ANYKV_CROWD_OPERATIONS sets the operations of each process, ANYKV_CROWD_KILLS and ANYKV_CROWD_CUTS
// how often a process is killed, and all connections. Kills come when so much has been done, not at
// certain times, so that they meet work on any machine.

import { type OpenKvOptions, openKv } from "anykv";
import { expect } from "vitest";
import { Books, furnish, Member, members } from "../crowd/crowd.js";
import type { CompiledPackage } from "../processes/compiled-package.js";
import { testPrefix } from "./plain-connection.js";

export interface CrowdSize {
  /** Of each process. */
  readonly operations: number;
  readonly kills: number;
  readonly cuts: number;
}

/** What the environment asks for. */
export const crowdSize: CrowdSize = {
  operations: Number(process.env.ANYKV_CROWD_OPERATIONS ?? 300),
  kills: Number(process.env.ANYKV_CROWD_KILLS ?? 6),
  cuts: Number(process.env.ANYKV_CROWD_CUTS ?? 20),
};

export function timeoutMsOf({ operations, kills }: CrowdSize): number {
  return 60_000 + 3 * members * operations * 5 + kills * 2_000;
}

/** Where the store is. */
export interface CrowdPlace {
  readonly size: CrowdSize;
  /** Of `openKv`: how to get there. */
  readonly address: object;
  /** Kills all connections of clients; how many there were. */
  cut(): Promise<number>;
  /** Throws what is wrong with the layout. */
  verify(store: string, partitions: number): Promise<void>;
}

export interface Setting {
  readonly compiled: CompiledPackage;
  readonly place: CrowdPlace;
}

export interface Case {
  readonly store: string;
  readonly partitions: number;
  readonly retryWrites: boolean;
  readonly kills: number;
}

function optionsOf(place: CrowdPlace, row: Case): OpenKvOptions {
  const { store, partitions, retryWrites } = row;
  // Longer than a busy machine takes: what is uncertain is so because its connection broke.
  const times = { connectTimeout: "60s", commandTimeout: "60s" };
  const valkey = { ...place.address, partitions, prefix: testPrefix, retryWrites, ...times };
  return { backend: "valkey", name: store, valkey };
}

class Crowd {
  readonly books = new Books();
  readonly finished: Promise<unknown>;
  readonly #setting: Setting;
  readonly #options: OpenKvOptions;
  readonly #name: string;
  readonly #members: Member[] = [];
  #started = 0;
  #isOver = false;

  constructor(setting: Setting, row: Case) {
    this.#setting = setting;
    this.#options = optionsOf(setting.place, row);
    this.#name = row.store;
    const places = Array.from({ length: members }, (_, place) => this.#fill(place));
    this.finished = Promise.all(places);
    this.finished.catch(() => {});
  }

  /** Whoever is killed is replaced by somebody who has all of the work to do. */
  async #fill(place: number): Promise<void> {
    const { compiled, place: where } = this.#setting;
    const { operations } = where.size;
    let member: Member;
    do {
      const name = `${this.#name}-${++this.#started}`;
      const work = { options: this.#options, name, seed: this.#started, operations };
      member = new Member(compiled, this.books, work);
      this.#members[place] = member;
      await member.ended;
    } while (member.wasKilled && !this.#isOver);
  }

  /** Whatever has become of it: the next crowd must not be disturbed by this one. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const member of this.#members) member.kill();
    await Promise.allSettled(this.#members.map(({ ended }) => ended));
  }

  kill(number: number): void {
    const member = this.#members[number % members];
    if (!member?.isAlive) return;
    this.books.kills++;
    member.kill();
  }

  /** Does something so many times, spread over the work, until that is done. */
  async disturb(times: number, act: (time: number) => unknown): Promise<void> {
    const { operations } = this.#setting.place.size;
    // What the members say at least.
    const linesMin = members * operations;
    for (let time = 1; time <= times; time++) {
      const moment = this.books.reaches((time * linesMin) / (times + 1)).then(() => true);
      const isThere = await Promise.race([this.finished.then(() => false), moment]);
      if (!isThere || this.#isOver) return;
      await act(time);
    }
  }
}

export async function work(setting: Setting, row: Case): Promise<Books> {
  const { place } = setting;
  const { store, partitions, kills } = row;
  {
    await using kv = openKv(optionsOf(place, row));
    await furnish(kv);
  }
  const crowd = new Crowd(setting, row);
  let connections = 0;
  const cutting = crowd.disturb(place.size.cuts, async () => {
    connections += await place.cut();
  });
  const killing = crowd.disturb(kills, (time) => crowd.kill(time));
  try {
    await Promise.all([crowd.finished, cutting, killing]);
  } finally {
    await crowd.end();
  }
  {
    await using kv = openKv({ ...optionsOf(place, row), trackKeys: true });
    await crowd.books.check(kv);
  }
  await place.verify(store, partitions);
  console.info(`${store}: ${crowd.books.summary}, ${connections} connections killed`);
  expect(connections).toBeGreaterThan(0);
  return crowd.books;
}
