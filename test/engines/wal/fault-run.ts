// Fault run: one process works on a store while one of its file calls fails, and then again when the
// disk is well; everything that the store must keep to is checked on the way.

import { isKvError, type Kv, openKv } from "anykv";
import { seededRandom, type VirtualEnv, virtualEnv } from "anykv/testing";
import type { Processes } from "../../../src/env/processes.js";
import type { Call, Fault } from "../../../src/testing/simulated-calls.js";
import { type CrashMode, crashed } from "../../../src/testing/simulated-crash.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { Actions } from "./crash-actions.js";
import { reopen } from "./crash-images.js";
import {
  attending,
  closeForGood,
  engineContent,
  host,
  type Start,
  slowly,
  storePath,
  syncTurnsMax,
  turns,
  Watch,
  work,
} from "./crash-life.js";

export interface PlannedFault {
  readonly call: number;
  readonly fault: Fault;
  /** Whether later calls fail as well, until the disk is healed. */
  readonly lasting: boolean;
}

const cuts: readonly CrashMode[] = [{ kind: "nothing" }, { kind: "everything" }];
const log = `${storePath}/wal/`;
const states = `${storePath}/last_state/`;
/** What touches the log: none of it may come after the failure of one of them. */
const touching: ReadonlySet<Call["kind"]> = new Set(["write", "sync", "dataSync", "truncate"]);

let runs = 0;

export class FaultRun {
  readonly #start: Start;
  readonly #planned: PlannedFault | undefined;
  readonly #watch: Watch;
  readonly #files: SimulatedFiles;
  readonly #processes: Processes = host.start();
  readonly #env: VirtualEnv;
  /** Calls made when the log first failed, and when everyone concerned had heard of it. */
  #atFailure = Number.POSITIVE_INFINITY;
  #afterFailure = Number.POSITIVE_INFINITY;

  constructor(start: Start, planned: PlannedFault | undefined) {
    this.#start = start;
    this.#planned = planned;
    this.#watch = new Watch(start);
    const { seed } = start;
    this.#files = new SimulatedFiles({
      disk: start.disk.clone(),
      random: seededRandom(seed + 1),
      observer: {
        after: (call) => this.#watch.after(call, this.#files.disk),
        failed: (call) => this.#noteFailure(call),
        delay: slowly(seed, () => this.#env),
      },
    });
    this.#env = virtualEnv({ seed, files: this.#files, processes: this.#processes });
  }

  #noteFailure(call: Call): void {
    if (!isOfLog(call) || this.#atFailure < Number.POSITIVE_INFINITY) return;
    this.#atFailure = this.#files.calls.length;
    setImmediate(() => {
      this.#afterFailure = this.#files.calls.length;
    });
  }

  /** Resolves with the number of calls that were made until the store was closed. */
  async run(): Promise<number> {
    try {
      if (this.#planned !== undefined) {
        const { call, fault, lasting } = this.#planned;
        this.#files.failAt(call, fault, lasting);
      }
      await attending(
        this.#start.level,
        (engine) => this.#watch.attend(engine),
        () => this.#suffer(),
      );
      const { length } = this.#files.calls;
      this.#files.heal();
      await attending(
        this.#start.level,
        (engine) => this.#watch.attend(engine),
        () => this.#goOn(),
      );
      if (this.#watch.fault !== undefined) throw new Error(this.#watch.fault);
      return length;
    } finally {
      host.kill(this.#processes);
    }
  }

  /** A call as text, for reports. */
  describe(call: number): string {
    const { kind, path } = this.#files.calls[call] ?? { kind: "none", path: "" };
    return `${kind} ${path}`;
  }

  #open(): Kv {
    const name = `fault run ${++runs}`;
    return openKv({ name, backend: "wal", path: storePath, env: this.#env });
  }

  async #suffer(): Promise<void> {
    const { seed, operations } = this.#start;
    const kv = this.#open();
    const random = seededRandom(seed);
    // A state that could not be written is no failure of the store.
    const compact = async (): Promise<void> => this.#watch.engine?.compact().catch(requireTyped);
    const results = await work(new Actions(kv, random, compact), this.#env, random, operations);
    const errors = await errorsOf(results);
    await turns(2 * syncTurnsMax);
    if (this.#watch.engine === undefined) await this.#checkRefused(kv, errors);
    else await this.#checkWritten(kv, errors);
    const close = (): Promise<void> => kv.close().catch(requireTyped);
    await closeForGood({ close }, this.#files, this.#env);
    if (this.#files.openHandles > 0) throw new Error(`${this.#files.openHandles} handles are open`);
    this.#checkUntouched();
  }

  /** The store could not be opened: everyone is told why. */
  async #checkRefused(kv: Kv, errors: readonly unknown[]): Promise<void> {
    const all = [...errors, ...(await errorsOf([kv.get("a")]))];
    if (all.length === errors.length) throw new Error("a store that is not open has answered");
    for (const error of all) requireName(error, ["DiskStoreOpenError", "DiskPathError"]);
  }

  /** The store was open, and may have failed since. */
  async #checkWritten(kv: Kv, errors: readonly unknown[]): Promise<void> {
    await this.#env.idle();
    const hasFailed = this.#afterFailure < Number.POSITIVE_INFINITY;
    const probes = [await errorsOf([kv.set("probe", 1)]), await errorsOf([kv.append("probes", 1)])];
    const [failure, ...others] = [...errors, ...probes.flat()];
    this.#checkExpected(failure, hasFailed);
    if (failure === undefined) return;
    requireName(failure, ["DiskStoreWriteError"]);
    if (others.some((error) => error !== failure)) throw new Error("not all have the same error");
    if (others.length === errors.length) return;
    if (probes[1]?.length === 0) throw new Error("a store that has failed has taken a write");
    await this.#checkReadable(kv);
  }

  async #checkReadable(kv: Kv): Promise<void> {
    const before = this.#content();
    await kv.getMany(["a", "b", "probe"]);
    await kv.scan();
    await kv.stats().catch(requireTyped);
    await kv.listArrays();
    const refused = await errorsOf([kv.set("a", "refused"), kv.clear(), kv.popRandom()]);
    if (refused.length < 3) throw new Error("a store that has failed has taken a write");
    if (this.#content() !== before) throw new Error("a write that was refused can be seen");
  }

  #content(): string {
    return this.#watch.engine === undefined ? "" : engineContent(this.#watch.engine);
  }

  /** Of some calls it is certain whether their failure ends the writing. */
  #checkExpected(failure: unknown, hasFailed: boolean): void {
    const failed = this.#failedCall();
    if (failed === undefined) return;
    if (isOfLog(failed) && hasFailed && failure === undefined)
      throw new Error("the failure was not told");
    const onlyState = failed.path.startsWith(states) && this.#planned?.lasting === false;
    if (onlyState && failure !== undefined) throw new Error("a state has cost more than itself");
  }

  /** The call that failed first, if it has been made. */
  #failedCall(): Call | undefined {
    return this.#planned && this.#files.calls[this.#planned.call];
  }

  /** What has failed once is not tried again. */
  #checkUntouched(): void {
    const failed = this.#failedCall();
    if (failed === undefined || !isOfLog(failed)) return;
    // What was under way beside it, or began before anyone could know, is no new attempt.
    const isRetry = (call: Call): boolean =>
      isOfLog(call) &&
      call.index >= (call.kind === failed.kind ? this.#atFailure : this.#afterFailure);
    const retried = this.#files.calls.find(isRetry);
    if (retried !== undefined) throw new Error(`after the failure came ${retried.kind}`);
  }

  /** The disk is well again. */
  async #goOn(): Promise<void> {
    const { ledger, states } = this.#watch;
    const owed = Math.max(ledger.acknowledged, ledger.written);
    this.#watch.engine = undefined;
    const kv = this.#open();
    await kv.set("healed", "well again");
    const last = this.#watch.recovered;
    if (last < owed) throw new Error(`records ${last + 1} to ${owed} are lost`);
    await kv.close();
    if (ledger.durable < ledger.committed) throw new Error("close has left something unsynced");
    const point = { disk: this.#files.disk, ledger, before: "the end" };
    const life = { points: [point], states, opening: 0, calls: 0 };
    for (const cut of cuts) {
      await reopen(crashed(point.disk, cut), point, cut, life, this.#start.level);
    }
  }
}

function isOfLog({ kind, path }: Call): boolean {
  return touching.has(kind) && path.startsWith(log);
}

async function errorsOf(results: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(results);
  return settled.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
}

function requireName(error: unknown, names: readonly string[]): void {
  requireTyped(error);
  const { name } = error as Error;
  if (!names.includes(name)) throw new Error(`the error is a ${name}`, { cause: error });
}

function requireTyped(error: unknown): void {
  if (!isKvError(error)) throw new Error(`an untyped error: ${String(error)}`, { cause: error });
}
