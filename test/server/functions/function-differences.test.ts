// The same calls to the library on a real server and to the functions of a store of this process: the
// replies are equal, byte by byte, but for what stands in `comparable`. ANYKV_HISTORIES sets the number
// of runs, ANYKV_SEED the first of their seeds, which is told when two replies differ.

import { type VirtualEnv, virtualEnv } from "anykv/testing";
import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { View } from "../../../src/engine/engine.js";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";
import { formatOf } from "../../../src/kv/serialization/format.js";
import type { Reply } from "../../../src/remote/connection.js";
import { libraryWith } from "../../../src/remote/library.js";
import { operations } from "../../../src/remote/operation-table.js";
import { FunctionLibrary } from "../../../src/server/functions/function-library.js";
import { type FunctionReply, wireReply } from "../../../src/server/functions/function-reply.js";
import { LocalStore } from "../../../src/store/local-store.js";
import { plainClient } from "../../remote/plain-connection.js";
import { describeWith, lackOf, type Server, startServer } from "../../remote/servers.js";
import { CallDraws, type DrawnCall } from "./call-draws.js";
import { received } from "./function-connection.js";

/** Texts, numbers and lists of them. */
type Shown = string | number | boolean | null | readonly Shown[];
type Ask = (call: DrawnCall) => Promise<Shown>;

function shown(reply: Reply): Shown {
  if (reply === null || typeof reply === "number") return reply;
  return reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply.map(shown);
}

const unordered = (list: readonly Shown[], first: number, step: number): Shown[] => {
  const groups: Shown[][] = [];
  for (let index = first; index < list.length; index += step) {
    groups.push(list.slice(index, index + step));
  }
  return [...list.slice(0, first), ...groups.sort((a, b) => (String(a) < String(b) ? -1 : 1))];
};

/** What is left of a reply where the two may differ. */
const comparable: Readonly<Record<string, (list: readonly Shown[]) => Shown>> = {
  // Buckets and items: by their deadlines there, by their names here.
  dump_buckets: (list) => unordered(list, 1, 1),
  dump_members: (list) => unordered(list, 0, 2),
  piece_members: (list) => unordered(list, 2, 3),
  // A state says no more than that it is another one, and so does an id.
  range: ([state, ...rest]) => [state !== "", ...rest],
  dump_elements: ([state, ...rest]) => [state !== "", ...rest],
  dump_arrays: (list) => list.map((each, at) => (at % 3 === 2 ? "" : each)),
  measure: ([end, , ...counts]) => [end ?? "", ...counts],
  // The position says nothing at the end.
  piece_arrays: (list) => (list[0] === "" ? ["", "", ...list.slice(2)] : list),
  // The deadline of what is gone.
  find_values: (list) => list.map((each, at) => (at % 2 === 0 && list[at - 1] === "" ? "" : each)),
};

let server: Server;
let client: Redis;

async function settled(reply: Promise<Reply>, operation: string): Promise<Shown> {
  try {
    const found = shown(await reply);
    return Array.isArray(found) ? (comparable[operation]?.(found) ?? found) : found;
  } catch (error) {
    return `! ${(error as Error).message.replace(/ script: \S+, on @\S+$/, "")}`;
  }
}

/**
 * Carries a call out in a transaction that is not taken back when the call is refused, as one that it
 * shares with others; undefined where that cannot be.
 */
function inShared(
  { library, store }: { library: FunctionLibrary; store: LocalStore },
  { operation, args }: DrawnCall,
): FunctionReply | undefined {
  const shared = library.shared(operation, args.map(received));
  if (shared === undefined) return undefined;
  const { kind, ranked, run } = shared;
  let refusal: unknown;
  const attempt = (view: View): FunctionReply => {
    try {
      return run(view, () => {});
    } catch (error) {
      refusal = error;
      return "";
    }
  };
  const { direct } = store;
  const carryOut = kind === "write" ? direct.write : ranked ? direct.query : direct.read;
  const reply = carryOut(attempt as (view: unknown) => FunctionReply, undefined) as FunctionReply;
  if (refusal !== undefined) throw refusal;
  return reply;
}

/** The two that are asked, at the same moment. */
function both(
  name: string,
  env: VirtualEnv,
  mayShare: boolean,
): { real: Ask; own: Ask; close(): Promise<void> } {
  const tag = `suite:{${name}:0}`;
  const store = new LocalStore(new MemoryEngine(env, { trackKeys: false }), env);
  const library = new FunctionLibrary(store, { env, format: formatOf("json") });
  const own: Ask = ({ operation, args }) =>
    settled(
      (async () => {
        const call = { operation, args };
        const reply = mayShare ? inShared({ library, store }, call) : undefined;
        return wireReply(reply ?? (await library.call(operation, args.map(received))));
      })(),
      operation,
    );
  const real: Ask = async ({ operation, args }) => {
    await client.set(`${tag}:clock`, env.clock.now());
    const words = [
      `${libraryWith("test").name}_${operation}`,
      "1",
      `${tag}:v`,
      ...args.map(String),
    ];
    return settled(client.callBuffer("FCALL", ...words) as Promise<Reply>, operation);
  };
  const close = async (): Promise<void> => {
    await store.close();
    await client.flushall();
  };
  return { real, own, close };
}

/** What shows rows that are due until somebody removes them: it is compared when there are none. */
const showsDue = /^(dump|piece|measure|allocation)/;

/** Remembers what was claimed, so that later calls can speak of it. */
function remember(draws: CallDraws, { operation, args }: DrawnCall, reply: Shown): void {
  if (!Array.isArray(reply) || reply[0] !== "ok") return;
  const [, , ...rows] = reply as string[];
  if (operation === "claim_random" && rows.length > 0) draws.claims.push(`${rows[1]} ${rows[0]}`);
  if (operation !== "claim_keys") return;
  for (const [index, key] of args.slice(5).entries()) {
    if (rows[3 * index] === "claimed") draws.claims.push(`${rows[3 * index + 1]} ${key}`);
  }
}

const steps = 400;
const runs = Number(process.env.ANYKV_HISTORIES ?? 30);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);

/** Left to other tests: what says nothing of the content, and what takes several calls. */
const apart = /^(load_.*|reap|report)$/;

describeWith("valkey-server and the functions of this process", lackOf("valkey"), () => {
  beforeAll(async () => {
    server = await startServer({ kind: "valkey" });
    client = await plainClient(server.port, "test");
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  test("are asked for every operation", () => {
    const drawn = new CallDraws(virtualEnv().random).operations;
    const asked = operations.map(([name]) => name).filter((name) => !apart.test(name));
    expect(asked.filter((name) => !drawn.includes(name))).toStrictEqual([]);
  });

  const compareAll = async (mayShare: boolean): Promise<void> => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      const env = virtualEnv({ seed });
      const draws = new CallDraws(env.random);
      const { real, own, close } = both(`d${seed}`, env, mayShare);
      const calls: string[] = [];
      const compare = async (call: DrawnCall): Promise<void> => {
        const reap: DrawnCall = { operation: "reap", args: [1_000] };
        if (showsDue.test(call.operation)) for (const ask of [real, own]) await ask(reap);
        calls.push(`${call.operation} ${JSON.stringify(call.args)}`);
        const expected = await real(call);
        const actual = await own(call);
        const isSame = JSON.stringify(actual) === JSON.stringify(expected);
        if (!isSame && call.operation === "none") return;
        if (!isSame) {
          const told = calls.slice(-40).join("\n");
          expect(actual, `ANYKV_SEED=${seed}, after\n${told}`).toStrictEqual(expected);
        }
        remember(draws, call, expected);
      };
      await compare({ operation: "open", args: [1, 1, 0] });
      for (let step = 0; step < steps; step++) {
        draws.now = env.clock.now();
        await compare(draws.draw());
        if (draws.below(10) === 0) await env.advance(draws.one([1, 5, 20, 500]));
      }
      await close();
    }
  };

  const timeout = 600_000;
  test(`answer ${runs} times ${steps} calls in the same way`, { timeout }, () => compareAll(false));
  test("do so when refused calls are not taken back", { timeout }, () => compareAll(true));
});
