// Eight processes work on one store on a server at the same time, while the server's connections are
// killed, and processes with -9: no claim is live twice, counters are exact for what was acknowledged,
// what is popped is popped once, and every count and the whole layout are right at the end.
//
// ANYKV_CROWD_OPERATIONS sets the operations of each process, ANYKV_CROWD_KILLS and ANYKV_CROWD_CUTS
// how often a process is killed, and all connections. Kills come when so much has been done, not at
// certain times, so that they meet work on any machine.

import { type OpenKvOptions, openKv } from "anykv";
import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Books, furnish, Member, members, programs } from "../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { plainClient, testPrefix } from "./plain-connection.js";
import { describeWith, lackOfAny, type Server, startServer } from "./servers.js";
import { verifyStore } from "./verify-store.js";

const lack = lackOfAny();
const operations = Number(process.env.ANYKV_CROWD_OPERATIONS ?? 300);
const killsMax = Number(process.env.ANYKV_CROWD_KILLS ?? 6);
const cutsMax = Number(process.env.ANYKV_CROWD_CUTS ?? 20);
/** What the members say at least. */
const linesMin = members * operations;
const timeoutMs = 60_000 + 3 * members * operations * 5 + killsMax * 2_000;

let compiled: CompiledPackage;
let server: Server;
let client: Redis;

beforeAll(async () => {
  if (lack !== undefined) return;
  compiled = await compilePackage(programs);
  server = await startServer();
  client = await plainClient(server.port, "server");
}, 60_000);

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
  compiled?.remove();
});

interface Case {
  readonly store: string;
  readonly partitions: number;
  readonly retryWrites: boolean;
  readonly kills: number;
}

function optionsOf({ store, partitions, retryWrites }: Case): OpenKvOptions {
  const { port } = server;
  // Longer than a busy machine takes: what is uncertain is so because its connection broke.
  const times = { connectTimeout: "60s", commandTimeout: "60s" };
  const valkey = { port, partitions, prefix: testPrefix, retryWrites, ...times };
  return { backend: "valkey", name: store, valkey };
}

class Crowd {
  readonly books = new Books();
  readonly finished: Promise<unknown>;
  readonly #options: OpenKvOptions;
  readonly #name: string;
  readonly #members: Member[] = [];
  #started = 0;
  #isOver = false;

  constructor(row: Case) {
    this.#options = optionsOf(row);
    this.#name = row.store;
    const places = Array.from({ length: members }, (_, place) => this.#fill(place));
    this.finished = Promise.all(places);
    this.finished.catch(() => {});
  }

  /** Whoever is killed is replaced by somebody who has all of the work to do. */
  async #fill(place: number): Promise<void> {
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
    for (let time = 1; time <= times; time++) {
      const moment = this.books.reaches((time * linesMin) / (times + 1)).then(() => true);
      const isThere = await Promise.race([this.finished.then(() => false), moment]);
      if (!isThere || this.#isOver) return;
      await act(time);
    }
  }
}

async function work(row: Case): Promise<Books> {
  const { store, partitions, kills } = row;
  {
    await using kv = openKv(optionsOf(row));
    await furnish(kv);
  }
  const crowd = new Crowd(row);
  let connections = 0;
  const cutting = crowd.disturb(cutsMax, async () => {
    connections += Number(await client.call("CLIENT", "KILL", "TYPE", "normal"));
  });
  const killing = crowd.disturb(kills, (time) => crowd.kill(time));
  try {
    await Promise.all([crowd.finished, cutting, killing]);
  } finally {
    await crowd.end();
  }
  {
    await using kv = openKv({ ...optionsOf(row), trackKeys: true });
    await crowd.books.check(kv);
  }
  await verifyStore(client, { store, partitions });
  console.info(`${store}: ${crowd.books.summary}, ${connections} connections killed`);
  expect(connections).toBeGreaterThan(0);
  return crowd.books;
}

describeWith(`${members} processes of ${operations} operations each on a server`, lack, () => {
  test.each([1, 3])(
    "whose connections are killed, with writes that are sent again, in %i partitions",
    async (partitions) => {
      const row = { store: `retried-${partitions}`, partitions, retryWrites: true, kills: 0 };
      const books = await work(row);
      // So the books have been exact: nothing but the acknowledged has happened.
      expect(books.uncertain).toBe(0);
      expect(books.done).toBe(members);
    },
    timeoutMs,
  );

  test(
    "whose connections are killed, with writes that are not sent again",
    async () => {
      const row = { store: "unretried", partitions: 3, retryWrites: false, kills: 0 };
      const books = await work(row);
      // Otherwise it has not been shown that they are told apart.
      expect(books.uncertain).toBeGreaterThan(0);
      expect(books.done).toBe(members);
    },
    timeoutMs,
  );

  test.each([
    { store: "killed-1", partitions: 1, retryWrites: false, kills: killsMax },
    { store: "killed-3", partitions: 3, retryWrites: true, kills: killsMax },
  ])(
    "that are killed with -9, and their connections, in $partitions partitions, retryWrites: $retryWrites",
    async (row) => {
      const books = await work(row);
      expect(books.kills).toBeGreaterThan(0);
    },
    timeoutMs,
  );
});
