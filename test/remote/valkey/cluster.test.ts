// A store on a real cluster while slots move and primaries die: counters stay exact for what was
// acknowledged, and everything finds its way again.

import { isKvError, type Kv, openKv } from "anykv";
import { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { crc16, partitionOf, partitionTag, placedBy } from "../../../src/remote/partitions.js";
import { verifyPartition } from "../../../src/remote/verify-partition.js";
import {
  addressOf,
  type Cluster,
  describeWith,
  lackOfAny,
  type Server,
  startCluster,
  until,
} from "../servers.js";
import { commandsOf } from "../verify-store.js";

const lack = lackOfAny();
const writers = 16;
const partitions = 16;
/** Slots that are moved: the lowest ones of a primary. */
const movedSlots = 60;
/** Increments of each writer before a primary is killed. */
const replicatedMin = 200;
let cluster: Cluster;

beforeAll(async () => {
  if (lack === undefined) cluster = await startCluster();
}, 120_000);
afterAll(() => cluster?.stop());

let stores = 0;
function open(name = `cluster-${++stores}`, options: object = {}): Kv {
  const valkey = { cluster: cluster.addresses, commandTimeout: "40s", ...options };
  return openKv({ backend: "valkey", name, valkey });
}

/** Counts under its own keys until told to stop; knows what was acknowledged and what is uncertain. */
class Writer {
  readonly #kv: Kv;
  readonly key: string;
  acknowledged = 0;
  uncertain = 0;
  readonly failures: unknown[] = [];
  #stopped = false;
  readonly #work: Promise<void>;

  constructor(kv: Kv, index: number) {
    this.#kv = kv;
    this.key = `counter ${index}`;
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#kv.incrementBy(this.key, 1);
        this.acknowledged++;
      } catch (error) {
        if (isKvError(error) && error.name === "OutcomeUnknownError") this.uncertain++;
        else this.failures.push(error);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }
}

/** Runs writers during `trouble`, and until each has got through once more after it. */
async function writing(
  kv: Kv,
  trouble: (writers: readonly Writer[]) => Promise<void>,
): Promise<Writer[]> {
  const all = Array.from({ length: writers }, (_, index) => new Writer(kv, index));
  const progress = async (): Promise<void> => {
    const before = all.map(({ acknowledged }) => acknowledged);
    await until(() => all.every((writer, index) => writer.acknowledged > (before[index] ?? 0)));
  };
  await progress();
  await trouble(all);
  await progress();
  await Promise.all(all.map((writer) => writer.stop()));
  for (const { failures } of all) expect(failures).toEqual([]);
  return all;
}

async function expectExact(kv: Kv, all: readonly Writer[]): Promise<void> {
  for (const { key, acknowledged, uncertain } of all) {
    const value = (await kv.get(key)) as number;
    expect(value).toBeGreaterThanOrEqual(acknowledged);
    expect(value).toBeLessThanOrEqual(acknowledged + uncertain);
  }
  expect(await kv.listKeys({ prefix: "counter " })).toHaveLength(writers);
  expect(await kv.count({ prefix: "counter " })).toBe(writers);
}

const slotOf = (store: string, partition: number): number =>
  crc16(Buffer.from(placedBy(partitionTag("anykv", store, partition)))) % 16_384;

/** A name of which some partition lies in the lowest slots, which are the ones to be moved. */
function nameWithLowSlot(): string {
  for (let index = 0; ; index++) {
    const name = `moved-${index}`;
    for (let partition = 0; partition < partitions; partition++) {
      if (slotOf(name, partition) < movedSlots) return name;
    }
  }
}

async function idOf(node: Server): Promise<string> {
  return node.cli("cluster", "myid");
}

/** The node that has the slot now. */
async function ownerOf(slot: number): Promise<Server> {
  const [living] = cluster.nodes.filter((node) => isAlive(node));
  const reply = (await living?.cli("cluster", "nodes")) ?? "";
  for (const line of reply.split("\n")) {
    const [, address = "", , , , , , , ...ranges] = line.split(" ");
    const has = ranges.some((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return slot >= (first ?? Infinity) && slot <= (last ?? -1);
    });
    const node = cluster.nodes.find((server) => address.startsWith(`${addressOf(server)}@`));
    if (has && node !== undefined) return node;
  }
  throw new Error(`nobody has slot ${slot}:\n${reply}`);
}

function isAlive({ pid }: Server): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function move(from: Server, to: Server, key: string): Promise<void> {
  const reply = await from.cli("migrate", to.host, `${to.port}`, key, "0", "5000");
  expect(reply).toMatch(/^(OK|NOKEY)$/);
}

/** How many calls the nodes have sent elsewhere because a slot moves. */
async function refusalsOf(...nodes: readonly Server[]): Promise<number> {
  const infos = await Promise.all(nodes.map((node) => node.cli("info", "errorstats")));
  const counts = infos.join("\n").matchAll(/errorstat_(?:ASK|TRYAGAIN):count=(\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describeWith("a cluster under load", lack, () => {
  test("is resharded, and every counter is exact", async () => {
    const name = nameWithLowSlot();
    const kv = open(name);
    await kv.setMany(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key ${i}`, i])));
    const from = await ownerOf(0);
    const to = await ownerOf(16_383);
    const written = await writing(kv, async () => {
      await cluster.manage(
        ...["reshard", addressOf(from), "--cluster-from", await idOf(from)],
        ...["--cluster-to", await idOf(to), "--cluster-slots", `${movedSlots}`, "--cluster-yes"],
      );
    });
    expect(await ownerOf(0)).toBe(to);
    for (const { uncertain } of written) expect(uncertain).toBe(0);
    await expectExact(kv, written);
    expect(await kv.count({ prefix: "key " })).toBe(2_000);
    expect(await kv.size()).toBe(2_000 + writers);
    await verify(name);
    await kv.clear();
    await kv.close();
    await cluster.settled();
  }, 180_000);

  // Keys of a slot move one by one: a call that ran on half of them would split the store in two.
  test.each(["v", "k"])(
    "waits while the structure %s of a partition has moved alone",
    async (part) => {
      const name = `halved-${part}`;
      const kv = open(name, { partitions: 1 });
      await kv.setMany({ first: 1, second: 2 });
      const slot = slotOf(name, 0);
      const from = await ownerOf(slot);
      const to = (await ownerOf(slot < 8_192 ? 16_383 : 0)) as Server;
      await to.cli("cluster", "setslot", `${slot}`, "importing", await idOf(from));
      await from.cli("cluster", "setslot", `${slot}`, "migrating", await idOf(to));
      await move(from, to, `${partitionTag("anykv", name, 0)}:${part}`);
      const refusals = await refusalsOf(from, to);
      let isSettled = false;
      const adding = kv.incrementBy("third", 3).finally(() => {
        isSettled = true;
      });
      await until(async () => isSettled || (await refusalsOf(from, to)) > refusals);
      expect(isSettled).toBe(false);
      for (const key of (await from.cli("cluster", "getkeysinslot", `${slot}`, "100")).split(
        "\n",
      )) {
        await move(from, to, key);
      }
      for (const node of [to, from]) {
        await node.cli("cluster", "setslot", `${slot}`, "node", await idOf(to));
      }
      expect(await adding).toBe(3);
      expect(await kv.listKeys()).toEqual(["first", "second", "third"]);
      expect(await kv.count()).toBe(3);
      await kv.close();
      await until(async () => (await ownerOf(slot)) === to);
      await cluster.settled();
    },
    60_000,
  );

  test("makes a replica its primary in good order, and every counter is exact", async () => {
    const kv = open();
    const written = await writing(kv, async () => {
      const old = await ownerOf(8_000);
      const replica = await replicaOf(old);
      await replica.cli("cluster", "failover");
      await until(async () => (await ownerOf(8_000)) === replica);
    });
    await expectExact(kv, written);
    await kv.close();
    await cluster.settled();
  }, 180_000);

  test("loads the library where it is missing", async () => {
    const kv = open();
    await kv.size();
    for (const node of cluster.nodes) await node.cli("function", "flush", "sync").catch(() => "");
    const written = await writing(kv, async () => {});
    await expectExact(kv, written);
    await kv.close();
  }, 180_000);

  // Replication is asynchronous: what a dead primary had not passed on is lost, acknowledged or not.
  test("loses nothing that was replicated when a primary is killed, and tells what else", async () => {
    const kv = open("bereaved");
    const victim = await ownerOf(8_000);
    let replicated: readonly number[] = [];
    let onVictim = 0;
    const written = await writing(kv, async (all) => {
      for (const { key } of all) {
        if ((await ownerOf(slotOf("bereaved", partitionOf(key, partitions)))) === victim)
          onVictim++;
      }
      await until(() => all.every((writer) => writer.acknowledged >= replicatedMin));
      const acknowledged = all.map((writer) => writer.acknowledged);
      await replicate(victim, 8_000);
      replicated = acknowledged;
      process.kill(victim.pid, "SIGKILL");
      await until(async () => (await ownerOf(8_000)) !== victim);
    });
    let lost = 0;
    for (const [index, { key, acknowledged, uncertain }] of written.entries()) {
      const value = (await kv.get(key)) as number;
      expect(value).toBeGreaterThanOrEqual(replicated[index] ?? Infinity);
      expect(value).toBeLessThanOrEqual(acknowledged + uncertain);
      lost += Math.max(0, acknowledged - value);
    }
    const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
    console.info(
      `killed primary: ${sum(written.map(({ acknowledged }) => acknowledged))} acknowledged, ` +
        `${sum(replicated)} of them replicated for sure, ` +
        `${sum(written.map(({ uncertain }) => uncertain))} uncertain, ${lost} lost`,
    );
    expect(onVictim).toBeGreaterThan(0);
    expect(Math.min(...replicated)).toBeGreaterThanOrEqual(replicatedMin);
    expect(await kv.count({ prefix: "counter " })).toBe(writers);
    await verify("bereaved");
    await kv.close();
  }, 180_000);
});

/** Resolves when all that a primary has done before this call has reached its replica. */
async function replicate(primary: Server, slot: number): Promise<void> {
  const client = new Redis({ port: primary.port, host: primary.host });
  // WAIT is about the writes of its own connection, so it needs one: it stands behind all others.
  await client.set(keyInSlot(slot), "mark");
  expect(await client.wait(1, 30_000)).toBeGreaterThanOrEqual(1);
  client.disconnect();
}

function keyInSlot(slot: number): string {
  for (let index = 0; ; index++) {
    if (crc16(Buffer.from(`mark ${index}`)) % 16_384 === slot) return `mark ${index}`;
  }
}

/** The layout of every partition, read from the nodes that have them now. */
async function verify(name: string): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const { host, port } = await ownerOf(slotOf(name, partition));
    const client = new Redis({ host, port });
    const tag = partitionTag("anykv", name, partition);
    expect(await verifyPartition(commandsOf(client), tag)).toEqual([]);
    client.disconnect();
  }
}

async function replicaOf(primary: Server): Promise<Server> {
  const id = await idOf(primary);
  const lines = (await primary.cli("cluster", "nodes")).split("\n");
  const line = lines.find((text) => text.includes("slave") && text.includes(` ${id} `)) ?? "";
  const node = cluster.nodes.find((server) => line.includes(`${addressOf(server)}@`));
  if (node === undefined)
    throw new Error(`${addressOf(primary)} has no replica:\n${lines.join("\n")}`);
  return node;
}
