// Deferred: a promise, and the means to settle it. Those who wait for one event of the log share one.

export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function newDeferred(): Deferred {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits is told; a promise that nobody waits for must not bring the process down.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
