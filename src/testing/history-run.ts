// History run: carries a history out on a store and on the model, and compares after every step.
//
// What is compared: the result of each operation, exactly, or the name of its error; every wait that
// has ended; and now and then, and at the end, everything that the store will tell about its content.

import { isDeepStrictEqual } from "node:util";
import { isKvError } from "../base/errors.js";
import type { Filter } from "../kv/filter.js";
import type { Kv } from "../kv/kv.js";
import type { ClaimRef } from "../kv/types.js";
import type {
  ClaimPlace,
  Command,
  CursorPlace,
  EntryList,
  MomentPlace,
  WaitPlace,
} from "./history-commands.js";
import { buckets, keys, prefixes } from "./history-commands.js";
import { type Method, Model, type Outcome, Pending } from "./model.js";
import type { Spread } from "./model-state.js";
import type { TestStore } from "./runner.js";
import type { VirtualEnv } from "./virtual-env.js";

type Call = (...args: unknown[]) => Promise<unknown>;

interface Wait {
  readonly controller: AbortController;
  outcome?: Outcome;
}

/** A difference between store and model. */
export class HistoryError extends Error {}

/** A key that no history touches. */
const untouchedKey = "\u{10fffe}";

export class HistoryRun {
  readonly #store: TestStore;
  #kv: Kv;
  readonly #env: VirtualEnv;
  readonly #model: Model;
  readonly #claims: ClaimRef[] = [];
  readonly #cursors: string[] = [];
  readonly #waits = new Map<number, Wait>();

  constructor(store: TestStore, env: VirtualEnv, trackKeys: boolean, spread?: Spread) {
    this.#store = store;
    this.#kv = store.kv;
    this.#env = env;
    this.#model = new Model({ clock: env.clock, trackKeys, spread });
  }

  /** @throws HistoryError at the first step at which store and model differ. */
  async run(commands: readonly Command[]): Promise<void> {
    for (const [index, command] of commands.entries()) {
      await this.#attempt(`step ${index + 1}, ${showCommand(command)}`, () => this.#step(command));
    }
    await this.#attempt("at the end", () => this.#end());
  }

  async #attempt(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new HistoryError(`${what}: ${message}`, { cause });
    }
  }

  /** After the store has been closed: every wait must have been told. */
  async afterClose(): Promise<void> {
    await this.#env.idle();
    for (const id of this.#model.pendingWaits()) {
      const due = { error: "StoreClosedError" };
      this.#expectOutcome(`wait ${id} at close`, this.#waits.get(id)?.outcome, due);
      this.#model.closeWait(id);
      this.#waits.delete(id);
    }
  }

  async #reopen(): Promise<void> {
    if (this.#store.reopen === undefined) throw new Error("this store cannot be reopened");
    this.#kv = await this.#store.reopen();
    await this.afterClose();
    // The clock stands still until the store is open again.
    await this.#kv.exists(keys[0]);
  }

  async #step(command: Command): Promise<void> {
    if (command.method === "advance" || command.method === "stall") {
      await this.#moveClock(command.method, this.#duration(command.args[0]));
    } else if (command.method === "abort") this.#abort(command.args[0]);
    else if (command.method === "inspect") await this.#inspect();
    else if (command.method === "reopen") await this.#reopen();
    else await this.#operate(command.method, command.args);
    if (this.#waits.size > 0) await this.#compareWaits();
  }

  async #operate(method: Method, places: readonly unknown[]): Promise<void> {
    const args = places.map((place) => this.#resolved(place));
    const wait = method === "popWait" || method === "popFirstWait" ? this.#startWait(args) : null;
    const call = this.#call(method, args);
    const actual = wait === null ? await settled(call) : await this.#firstOutcome(call, wait);
    const taken = actual !== undefined && "value" in actual ? actual.value : undefined;
    const expected = this.#model.answer(method, args, taken);
    if ("value" in expected && expected.value instanceof Pending && wait !== null) {
      this.#waits.set(expected.value.id, wait);
      if (actual !== undefined) throw new Error(`${show(actual)} came at once from an empty array`);
    } else this.#expectOutcome(method, actual, expected);
    this.#remember(taken);
  }

  #call(method: Method, args: unknown[]): Promise<unknown> {
    if (!method.startsWith("filter.")) {
      return (this.#kv[method as keyof Kv] as Call).apply(this.#kv, args);
    }
    const filter = this.#kv.filter(args[0] as string);
    const name = method.slice("filter.".length) as Exclude<keyof Filter, "bucket">;
    return (filter[name] as Call).apply(filter, args.slice(1));
  }

  /** Gives the wait a signal of its own, so that the history can abort it. */
  #startWait(args: unknown[]): Wait {
    const wait = { controller: new AbortController() };
    args[1] = { ...(args[1] as object), signal: wait.controller.signal };
    return wait;
  }

  async #firstOutcome(call: Promise<unknown>, wait: Wait): Promise<Outcome | undefined> {
    void settled(call).then((outcome) => {
      wait.outcome = outcome;
    });
    await this.#settle();
    return wait.outcome;
  }

  // Writes are carried out in the order in which they were asked for.
  async #settle(): Promise<void> {
    await this.#kv.delete(untouchedKey);
    await this.#env.idle();
  }

  async #compareWaits(): Promise<void> {
    await this.#settle();
    const expected = this.#model.settledWaits();
    for (const [id, wait] of this.#waits) {
      const due = expected.get(id);
      if (due === undefined && wait.outcome === undefined) continue;
      const conceded = wait.outcome !== undefined && this.#model.concede(id, wait.outcome);
      if (!conceded) this.#expectOutcome(`wait ${id}`, wait.outcome, due);
      this.#waits.delete(id);
    }
  }

  async #moveClock(how: "advance" | "stall", ms: number): Promise<void> {
    if (how === "stall") this.#env.stall(ms);
    else {
      await this.#env.advance(ms);
      this.#model.afterTimers();
    }
  }

  #duration({ nextDeadlineBut, offset }: MomentPlace): number {
    const now = this.#env.clock.now();
    const ahead = this.#model.deadlines().filter((deadline) => deadline + offset > now);
    const deadline = ahead[Math.min(nextDeadlineBut, ahead.length - 1)];
    return deadline === undefined ? 1 : deadline + offset - now;
  }

  #abort({ oldestWaitBut }: WaitPlace): void {
    const id = this.#model.pendingWaits()[oldestWaitBut];
    if (id === undefined) return;
    this.#waits.get(id)?.controller.abort(new Error("the history aborts"));
    this.#model.abortWait(id);
  }

  /** Puts real claims, cursors and entries in the places of an argument. */
  #resolved(argument: unknown): unknown {
    if (Array.isArray(argument)) return argument.map((item) => this.#resolved(item));
    if (typeof argument !== "object" || argument === null) return argument;
    if ("latestClaimBut" in argument) return this.#claim(argument as ClaimPlace);
    if ("currentValueOf" in argument) return this.#model.currentValue(`${argument.currentValueOf}`);
    if ("entries" in argument) return Object.fromEntries((argument as EntryList).entries);
    const options = argument as { claim?: ClaimPlace; cursor?: CursorPlace };
    const { claim, cursor } = options;
    if (claim !== undefined) return { ...options, claim: this.#claim(claim) };
    if (cursor !== undefined) return { ...options, cursor: this.#cursor(cursor) };
    return argument;
  }

  #claim({ latestClaimBut, live, forged }: ClaimPlace): ClaimRef {
    const claims = live ? this.#claims.filter((claim) => this.#model.holds(claim)) : this.#claims;
    const claim = claims.at(-1 - latestClaimBut);
    if (claim === undefined) return { id: "claim-none", key: "a", token: 1 };
    if (forged === "id") return { ...claim, id: `${claim.id}0` };
    if (forged === "token") return { ...claim, token: claim.token + 1 };
    return forged === "key" ? { ...claim, key: claim.key === "a" ? "b" : "a" } : claim;
  }

  #cursor({ latestCursorBut }: CursorPlace): string {
    return this.#cursors.at(-1 - latestCursorBut) ?? "";
  }

  /** Notes the claims and the cursor of a result. */
  #remember(result: unknown): void {
    if (typeof result !== "object" || result === null) return;
    if (Array.isArray(result)) for (const item of result) this.#remember(item);
    else if ("token" in result) this.#claims.push(result as unknown as ClaimRef);
    else if ("claimed" in result) this.#remember(result.claimed);
    else if ("cursor" in result && "done" in result && result.cursor !== "") {
      this.#cursors.push(String(result.cursor));
    }
  }

  /** With every timer fired, the index too holds what is there and nothing else. */
  async #end(): Promise<void> {
    await this.#moveClock("advance", 0);
    await this.#inspect();
    const { index, count } = await this.#kv.stats();
    if (index !== null) this.#expectOutcome("index", { value: index.keysList }, { value: count });
  }

  /** Compares everything that can be seen from outside. */
  async #inspect(): Promise<void> {
    for (const prefix of prefixes) await this.#operate("allocationStats", [{ prefix }]);
    for (const key of keys) await this.#operate("ttl", [key]);
    for (const bucket of buckets) await this.#operate("filter.size", [bucket]);
    await this.#operate("scan", []);
    await this.#operate("listArrays", []);
    await this.#operate("stats", []);
    for (const key of await this.#kv.listArrays()) await this.#operate("range", [key]);
    await this.#inspectPropertyOrder();
  }

  /** Objects come back with their properties in the order in which they were written. */
  async #inspectPropertyOrder(): Promise<void> {
    const actual = await this.#kv.list();
    const expected = this.#model.answer("list", [], actual);
    this.#expectOutcome(
      "list as text",
      { value: JSON.stringify(actual) },
      {
        value: JSON.stringify("value" in expected ? expected.value : expected),
      },
    );
  }

  #expectOutcome(what: string, actual: Outcome | undefined, expected: Outcome | undefined): void {
    if (isDeepStrictEqual(actual, expected)) return;
    throw new Error(`${what}: the store has ${show(actual)}, the model ${show(expected)}`);
  }
}

async function settled(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await call };
  } catch (error) {
    // Of what is no error of anykv, the message is what helps.
    const { name, message } = error as Error;
    return { error: isKvError(error) ? name : `${name}: ${message}` };
  }
}

function show(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "nothing yet";
  if ("error" in outcome) return outcome.error;
  return outcome.value === undefined ? "undefined" : JSON.stringify(outcome.value);
}

/** A command as it would stand in a program. */
export function showCommand({ method, args }: Command): string {
  return `${method}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`;
}
