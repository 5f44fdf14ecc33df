// Waiter: those who wait for one event of the log, behind one promise.

export interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function newWaiter(): Waiter {
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
