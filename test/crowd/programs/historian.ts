// Historian: works on a few keys that others work on too, and tells when each operation began and
// ended, by the clock that all processes of a machine share. An operation of which nobody knows
// whether it happened has no output. While it works, it writes a dot for every few operations.
//
// A claim that nobody was told of holds its key to the end, so the keys are others after a while.
//
// Every operation is asked for in a turn of the event loop of its own: what was acknowledged before
// that turn began has to be seen. With "stale" it reads what it has seen itself a little while ago,
// as a cache that nobody invalidates would: the checker has to notice.

import { isKvError, type Kv, type OpenKvOptions, openKv } from "anykv";
import { seededRandom } from "anykv/testing";

const [options = "", seed = "", operations = "", mode = ""] = process.argv.slice(2);
const { below } = seededRandom(Number(seed));
const kv = openKv(JSON.parse(options) as OpenKvOptions);
const lanes = 3;
const registers = 4;
const leases = 2;
/** Operations of a process on the same keys. */
const eraOperations = 100;
const dotOperations = 20;
const lines: string[] = [];
const cache = new Map<string, { value: number | null; uses: number }>();

interface Drawn {
  readonly key: string;
  readonly input: Record<string, unknown> & { readonly kind: string };
  run(store: Kv): Promise<unknown>;
}

const era = (): number => Math.floor((Number(operations) - left) / eraOperations);

async function read(store: Kv, key: string): Promise<number | null> {
  const known = cache.get(key);
  if (mode === "stale" && known !== undefined && known.uses-- > 0) return known.value;
  const value = (await store.find<number>(key)) ?? null;
  cache.set(key, { value, uses: 5 });
  return value;
}

function drawRegister(): Drawn {
  const key = `register:${era()}:${below(registers)}`;
  const kind = (["read", "read", "read", "write", "swap", "add", "delete"] as const)[below(7)];
  if (kind === "write") {
    const value = below(5);
    const run = async (store: Kv): Promise<true> => {
      await store.set(key, value);
      return true;
    };
    return { key, input: { kind, value }, run };
  }
  if (kind === "swap") {
    const expected = below(4) === 0 ? null : below(5);
    const value = below(5);
    const run = (store: Kv) => store.compareAndSwap(key, expected, value);
    return { key, input: { kind, expected, value }, run };
  }
  if (kind === "add") return { key, input: { kind }, run: (store) => store.incrementBy(key, 1) };
  if (kind === "delete") return { key, input: { kind }, run: (store) => store.deleteIfExists(key) };
  return { key, input: { kind: "read" }, run: (store) => read(store, key) };
}

const held = new Map<string, { id: string; key: string; token: number }[]>();

function drawLease(): Drawn {
  const key = `lease:${era()}:${below(leases)}`;
  const claims = held.get(key) ?? [];
  held.set(key, claims);
  const claim = claims.at(-1);
  if (claim === undefined || below(3) === 0) {
    return {
      key,
      input: { kind: "claim" },
      run: async (store) => {
        const granted = await store.claimKey(key, { ttl: 60_000 });
        if (granted !== null) claims.push(granted);
        return granted?.token ?? null;
      },
    };
  }
  // Now and then it is released twice.
  if (below(4) > 0) claims.pop();
  return {
    key,
    input: { kind: "release", token: claim.token },
    run: (store) => store.releaseClaim(claim),
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Undefined when it is not known whether it happened. */
async function outputOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (isKvError(error) && error.name === "OutcomeUnknownError") return undefined;
    throw error;
  }
}

let left = Number(operations);
async function lane(): Promise<void> {
  while (left-- > 0) {
    await turn();
    const begin = process.hrtime.bigint();
    const { key, input, run } = below(3) === 0 ? drawLease() : drawRegister();
    if (left % dotOperations === 0) process.stdout.write(".\n");
    const output = await outputOf(run(kv));
    const end = process.hrtime.bigint();
    lines.push(JSON.stringify({ key, input, output, begin: `${begin}`, end: `${end}` }));
  }
}

await kv.exists("nothing");
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
await Promise.all(Array.from({ length: lanes }, lane));
await kv.close();
process.stdin.unref();
process.stdout.write(`${lines.join("\n")}\n`);
