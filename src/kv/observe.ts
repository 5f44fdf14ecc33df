// Observation: every public operation as trace messages and, where the store was opened so, as
// metrics.
//
// Invariants
// 1. Not observed, a call costs a few boolean tests: nothing is allocated, nothing more awaited.
// 2. Messages never carry a key, a value or an error, whose message may quote either.
// 3. Observing changes no result, no error and no order; who ignores a rejection still hears of it.
// 4. One call is reported once, as what the caller called: public methods do not call each other.
//
// Messages follow Node's `tracingChannel`: start, end, then asyncStart and asyncEnd when the
// operation has settled, with error before them when it failed. All five get the same object.

import { tracingChannel } from "node:diagnostics_channel";
import { isKvError } from "../base/errors.js";
import type { Clock } from "../env/env.js";
import type { StoreMetrics } from "./metrics.js";
import type { OperationName } from "./operation-names.js";
import type { KvOptions } from "./options/options.js";

/** What subscribers of the tracing channel "anykv:operation" are told about a call. */
export interface OperationContext {
  /** The name of the store, "default" if it has none. */
  readonly store: string;
  readonly backend: string;
  readonly operation: OperationName;
  /** This and what follows is there once the operation has settled. */
  status?: "ok" | "error";
  /** Only with status "error": a name of the error catalogue. */
  errorName?: string;
  /** 0 when the arguments were refused. */
  durationMs?: number;
}

const { start, end, asyncStart, asyncEnd, error } = tracingChannel<
  OperationContext,
  OperationContext
>("anykv:operation");

/** What observing needs to know of a handle. */
export class Observer {
  /** Set when the operation asks for the store, which it does once its arguments are accepted. */
  accepted = false;
  /** undefined unless operations are measured. */
  readonly metrics: StoreMetrics | undefined;
  readonly store: string;
  readonly backend: string;
  readonly clock: Clock;

  constructor(options: KvOptions, metrics: StoreMetrics) {
    this.metrics = metrics.operations ? metrics : undefined;
    this.store = options.name ?? "default";
    this.backend = options.backend;
    this.clock = options.env.clock;
  }
}

interface Observable {
  readonly observer: Observer;
}

type Method = (
  this: Observable,
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
) => Promise<unknown>;

/** Of the public methods; the wrappers pass on exactly so many. */
const parametersMax = 4;

/**
 * Replaces methods by ones that report under the names of the table. The objects that they are
 * called on have an `observer`.
 */
export function observeMethods(
  prototypes: readonly object[],
  operations: Readonly<Record<string, OperationName>>,
): void {
  for (const prototype of prototypes) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (!Object.hasOwn(operations, name)) continue;
      const original = Reflect.get(prototype, name) as Method;
      if (original.length > parametersMax) throw new Error(`${name} has too many parameters`);
      const value = observed(original, operations[name] as OperationName);
      Object.defineProperty(value, "name", { value: name, configurable: true });
      Object.defineProperty(value, "length", { value: original.length, configurable: true });
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
    }
  }
}

// The parameters are counted out because a rest parameter would allocate, and no closure is made
// here because its parameters would then live on the heap in every call.
function observed(original: Method, operation: OperationName): Method {
  return function (a, b, c, d) {
    if (this.observer.metrics === undefined && !isTraced()) return original.call(this, a, b, c, d);
    return observe(operation, this, original, [a, b, c, d]);
  };
}

// Channels give no notice of being subscribed to, so it has to be asked at each call. Asking the
// five channels is cheaper than the `hasSubscribers` of the tracing channel.
function isTraced(): boolean {
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

function observe(
  operation: OperationName,
  target: Observable,
  original: Method,
  parameters: [unknown, unknown, unknown, unknown],
): Promise<unknown> {
  const call = new ObservedCall(operation, target.observer);
  return call.run(() => original.apply(target, parameters));
}

class ObservedCall {
  readonly #operation: OperationName;
  readonly #observer: Observer;
  readonly #context: OperationContext | undefined;
  readonly #startedMs: number;
  #accepted = false;

  constructor(operation: OperationName, observer: Observer) {
    const { store, backend, clock } = observer;
    this.#operation = operation;
    this.#observer = observer;
    this.#context = isTraced() ? { store, backend, operation } : undefined;
    this.#startedMs = clock.monotonic();
  }

  run(call: () => Promise<unknown>): Promise<unknown> {
    const context = this.#context;
    if (context === undefined) return this.#attend(call);
    return start.runStores(context, () => {
      try {
        return this.#attend(call);
      } finally {
        end.publish(context);
      }
    });
  }

  /**
   * Arguments are checked before the first pause of an operation, so when the call has returned its
   * promise it is certain whether they were accepted. The mark is set back because a value's
   * `toJSON`, which runs within the call, may itself use the handle.
   */
  #attend(call: () => Promise<unknown>): Promise<unknown> {
    const observer = this.#observer;
    const outerAccepted = observer.accepted;
    observer.accepted = false;
    const promise = call();
    this.#accepted = observer.accepted;
    observer.accepted = outerAccepted;
    if (this.#accepted && observer.metrics !== undefined) observer.metrics.inFlight++;
    return promise.then(
      (result) => {
        this.#succeed(result);
        return result;
      },
      (failure: unknown) => {
        this.#fail(failure);
        throw failure;
      },
    );
  }

  #succeed(result: unknown): void {
    const durationMs = this.#finish();
    this.#observer.metrics?.succeeded(this.#operation, durationMs, result);
    const context = this.#context;
    if (context === undefined) return;
    context.status = "ok";
    context.durationMs = durationMs;
    asyncStart.publish(context);
    asyncEnd.publish(context);
  }

  #fail(failure: unknown): void {
    const durationMs = this.#finish();
    const errorName = isKvError(failure) ? failure.name : "UnknownError";
    this.#observer.metrics?.failed(this.#operation, durationMs, errorName);
    const context = this.#context;
    if (context === undefined) return;
    context.status = "error";
    context.errorName = errorName;
    context.durationMs = durationMs;
    error.publish(context);
    asyncStart.publish(context);
    asyncEnd.publish(context);
  }

  /** The duration in milliseconds. */
  #finish(): number {
    if (!this.#accepted) return 0;
    const { metrics, clock } = this.#observer;
    if (metrics !== undefined) metrics.inFlight--;
    return clock.monotonic() - this.#startedMs;
  }
}
