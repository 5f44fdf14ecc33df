// Simulated calls: counts what a process asks of its file system, and lets it fail or end there.
//
// A call takes effect at one instant, some turns after it was made, and settles some turns later;
// how many is drawn from `random`, so that calls which are under way together overtake each other
// as they do in a thread pool. Turns are microtasks: when the event loop comes round, every call has
// settled, and `idle` of a virtual Env needs to know nothing of them. Whoever wants others to have
// their turn in the middle of a call adds a delay, by the `breathe` of that Env.

import type { Random } from "../env/env.js";
import type { FileHandle, Files } from "../env/files.js";

export interface Call {
  /** Counted from 0, in the order in which they were made. */
  readonly index: number;
  readonly kind: keyof Files | keyof FileHandle;
  readonly path: string;
  /** The number of the file, where the call concerns the content of one. */
  readonly file?: number;
  /** Of a write: what goes where. */
  readonly position?: number;
  readonly bytes?: Uint8Array;
  /** Of a sync: the number of the last change that it covers. */
  readonly until?: number;
}

/** Told at the instant of a call, right before and right after it takes effect. */
export interface CallObserver {
  before?(call: Call): void;
  after?(call: Call): void;
  /** Told when a call fails; whoever made it hears of it some microtasks later. */
  failed?(call: Call): void;
  /** What a call waits for before it takes effect, besides its turns. */
  delay?(call: Call): Promise<void> | undefined;
}

/**
 * `EIO` and `ENOSPC`: nothing is done, and a failed sync loses what it was for. `short`: a write puts
 * a part of its bytes down before it fails with `ENOSPC`, as everything else does.
 */
export const faults = ["EIO", "ENOSPC", "short"] as const;
export type Fault = (typeof faults)[number];

const turnsMax = 4;
/** What needs no room on a disk. */
const roomless: ReadonlySet<Call["kind"]> = new Set([
  "read",
  "readAll",
  "list",
  "stat",
  "size",
  "close",
  "remove",
  "truncate",
]);

/** An error as Node raises it. */
export function systemError(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${syscall} '${path}'`), {
    code,
    syscall,
    path,
  });
}

export class SimulatedCalls {
  readonly made: Call[] = [];
  /** Resolves when the process has come to its end. */
  readonly whenEnded: Promise<void>;
  readonly #random: Random | undefined;
  readonly #observer: CallObserver;
  #end: { readonly call: number; readonly middle: boolean } | undefined;
  #ended = false;
  #tellEnd: () => void = () => {};
  #fault: { readonly call: number; readonly fault: Fault; readonly lasting: boolean } | undefined;

  constructor(random: Random | undefined, observer: CallObserver) {
    this.#random = random;
    this.#observer = observer;
    this.whenEnded = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
  }

  /** From this call on nothing takes effect and nothing settles; a write may do its first part. */
  stopAt(call: number, middle: boolean): void {
    this.#end = { call, middle };
  }

  /** This call fails; if the fault is lasting, so does every later one that it concerns. */
  failAt(call: number, fault: Fault, lasting: boolean): void {
    this.#fault = { call, fault, lasting };
  }

  heal(): void {
    this.#fault = undefined;
  }

  async run<Result>(
    subject: Omit<Call, "index">,
    effect: () => Result,
    part: (fault: Fault | undefined) => void = () => {},
  ): Promise<Result> {
    const call: Call = { ...subject, index: this.made.length };
    this.made.push(call);
    await this.#turns();
    await this.#observer.delay?.(call);
    this.#endAt(call, part);
    await this.#alive();
    const fault = this.#faultOf(call);
    if (fault !== undefined) {
      part(fault);
      this.#observer.failed?.(call);
      throw systemError(fault === "short" ? "ENOSPC" : fault, call.kind, call.path);
    }
    this.#observer.before?.(call);
    const result = effect();
    this.#observer.after?.(call);
    await this.#turns();
    await this.#alive();
    return result;
  }

  async #turns(): Promise<void> {
    const turns = this.#random === undefined ? 1 : this.#random.below(turnsMax);
    for (let turn = 0; turn < turns; turn++) await null;
  }

  #endAt(call: Call, part: (fault: Fault | undefined) => void): void {
    if (this.#ended || this.#end === undefined || call.index < this.#end.call) return;
    this.#ended = true;
    if (this.#end.middle && call.index === this.#end.call) part(undefined);
    this.#tellEnd();
  }

  /** Never resolves when the process has ended. */
  #alive(): Promise<void> | undefined {
    return this.#ended ? new Promise(() => {}) : undefined;
  }

  #faultOf({ index, kind }: Call): Fault | undefined {
    if (this.#fault === undefined || index < this.#fault.call) return undefined;
    const { call, fault, lasting } = this.#fault;
    if (index === call) return fault;
    if (!lasting || kind === "close") return undefined;
    return fault === "EIO" || !roomless.has(kind) ? fault : undefined;
  }
}
