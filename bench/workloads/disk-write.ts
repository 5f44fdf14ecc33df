// Writes on the disk backend, durable when they resolve: against LMDB itself with the same JSON,
// and against LevelDB and SQLite that sync as well.
//
// Every contestant keeps its store for the whole run. A sample writes one slice; the slices of new
// keys are scattered over the keys that are there.

import { inFreshDirectory } from "../contestants/disk-stores.js";
import {
  bareLmdb,
  bareLmdbName,
  type DurableStore,
  diskName,
  diskStore,
  durableLevel,
  durableSqlite,
  type Entries,
} from "../contestants/durable-stores.js";
import { account, accountKey, times } from "../contestants/records.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import {
  atLeast,
  type Effort,
  type Outcome,
  type Question,
  ratio,
  type Workload,
} from "../harness/workload.js";

/** What the first of the seeds promised, in durable writes per second. */
const seedWritesPerSecond = 10_000;

/** One slice of work; resolves when it is on the disk. `turn` counts the slices of a contestant. */
type Slice = (store: DurableStore, turn: number, size: Sizes) => Promise<void>;

interface Sizes {
  readonly stored: number;
  readonly slice: number;
}

interface Plan {
  readonly name: string;
  readonly title: string;
  readonly slice: number;
  readonly run: Slice;
  /** The least share of bare LMDB. */
  readonly share: number;
  /** Whether the peers can do the same. */
  readonly peers: boolean;
}

// Scatters the ids over the stored keys, the same ones in turn.
function idAt(turn: number, index: number, { stored, slice }: Sizes): number {
  return ((turn * slice + index) * 7_919) % stored;
}

function existing(turn: number, sizes: Sizes): Entries {
  return Object.fromEntries(
    times(sizes.slice, (index) => {
      const id = idAt(turn, index, sizes);
      return [accountKey(id), account(id, turn)];
    }),
  );
}

function fresh(turn: number, sizes: Sizes): Entries {
  return Object.fromEntries(
    times(sizes.slice, (index) => {
      const id = idAt(turn, index, sizes);
      return [`${accountKey(id)}:${turn}`, account(id, turn)];
    }),
  );
}

async function checkSome(store: DurableStore, entries: Entries): Promise<void> {
  for (const key of Object.keys(entries).filter((_, index) => index % 97 === 0)) {
    expectAnswer(`${store.name}, ${key}`, entries[key], await store.get(key));
  }
}

function writing(how: "setAll" | "setMany", what: (turn: number, size: Sizes) => Entries): Slice {
  return async (store, turn, sizes) => {
    const entries = what(turn, sizes);
    await store[how](entries);
    await checkSome(store, entries);
  };
}

const counters = 100;

const increments: Slice = async (store, turn, { slice }) => {
  await store.increment?.(times(slice, (index) => `counter:${index % counters}`));
  expectAnswer("counter", ((turn + 1) * slice) / counters, await store.get("counter:0"));
};

const swaps: Slice = async (store, turn, sizes) => {
  const keys = times(sizes.slice, accountKey);
  const version = (of: number): Entries =>
    Object.fromEntries(keys.map((key, id) => [key, account(id, of)]));
  const swapped = await store.compareAndSwap?.(version(turn), version(turn + 1));
  expectAnswer("swapped", sizes.slice, swapped?.filter(Boolean).length);
};

async function compare(effort: Effort, directory: string, plan: Plan): Promise<Outcome> {
  const quick = effort === "quick";
  const sizes = { stored: quick ? 1_000 : 100_000, slice: quick ? 100 : plan.slice };
  const sqlite = durableSqlite(directory);
  const found = typeof sqlite === "string" ? [] : [sqlite];
  const peers = plan.peers ? [await durableLevel(directory), ...found] : [];
  const stores = [diskStore(directory), bareLmdb(directory), ...peers];
  const loaded = Object.fromEntries(times(sizes.stored, (id) => [accountKey(id), account(id)]));
  for (const store of stores) await store.setMany(loaded);
  const contestants = stores.map((store) => {
    let turn = 0;
    const sample = async (): Promise<number> =>
      rate(sizes.slice, await elapsedMs(() => plan.run(store, turn++, sizes)));
    return { name: store.name, sample };
  });
  const alone: Question = {
    of: diskName,
    to: undefined,
    judged: "median",
    target: atLeast(seedWritesPerSecond),
  };
  const questions = [
    ratio(diskName, bareLmdbName, atLeast(plan.share)),
    ...peers.map(({ name }) => ratio(diskName, name, atLeast(1))),
    alone,
  ];
  const rounds = { unit: "writes/s", contestants, questions, rounds: 31, warmUps: 4 };
  const outcome = await interleave(effort, rounds);
  for (const store of stores) await store.close();
  const notes = plan.peers && typeof sqlite === "string" ? [sqlite] : [];
  return { ...outcome, notes };
}

const plans: readonly Plan[] = [
  {
    name: "disk-set-existing",
    title: "1,000 concurrent sets of keys that are there, durable",
    slice: 1_000,
    run: writing("setAll", existing),
    share: 0.8,
    peers: true,
  },
  {
    name: "disk-set-new",
    title: "1,000 concurrent sets of new keys, durable",
    slice: 1_000,
    run: writing("setAll", fresh),
    share: 0.5,
    peers: true,
  },
  {
    name: "disk-set-many-existing",
    title: "setMany of 10,000 entries that are there, durable",
    slice: 10_000,
    run: writing("setMany", existing),
    share: 0.8,
    peers: true,
  },
  {
    name: "disk-set-many-new",
    title: "setMany of 10,000 new entries, durable",
    slice: 10_000,
    run: writing("setMany", fresh),
    share: 0.5,
    peers: true,
  },
  {
    name: "disk-increment",
    title: "1,000 concurrent incrementBy of 100 counters, against transactions of lmdb",
    slice: 1_000,
    run: increments,
    share: 0.7,
    peers: false,
  },
  {
    name: "disk-compare-and-swap",
    title: "1,000 concurrent compareAndSwap, against transactions of lmdb",
    slice: 1_000,
    run: swaps,
    share: 0.7,
    peers: false,
  },
];

export const diskWrites: readonly Workload[] = plans.map((plan) => ({
  name: plan.name,
  title: plan.title,
  run: (effort, parent) =>
    inFreshDirectory(parent, (directory) => compare(effort, directory, plan)),
}));
