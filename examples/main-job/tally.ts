// Tally: what the job has counted. The referee, or the judge, keeps books of its own.

export interface Tally {
  /** Calls of the store. */
  operations: number;
  loaded: number;
  /** Completed before this run, by one that was killed. */
  completedEarlier: number;
  claims: number;
  completed: number;
  /** Completions of an account that the filter already knew. */
  completedTwice: number;
  released: number;
  renewed: number;
  crashes: number;
  /** Leases that ran out under a user who was still at work. */
  leasesLost: number;
  /** What crashed users tried with their old claims, and how much of it was refused. */
  staleAttempts: number;
  staleRefused: number;
  reported: number;
}

export function newTally(): Tally {
  return {
    operations: 0,
    loaded: 0,
    completedEarlier: 0,
    claims: 0,
    completed: 0,
    completedTwice: 0,
    released: 0,
    renewed: 0,
    crashes: 0,
    leasesLost: 0,
    staleAttempts: 0,
    staleRefused: 0,
    reported: 0,
  };
}

export function addTally(sum: Tally, tally: Tally): void {
  for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name];
}

type Method = (...args: unknown[]) => unknown;

/** The same object, with every call of a method reported first. */
export function countCalls<Target extends object>(target: Target, count: () => void): Target {
  const methods = new Map<PropertyKey, Method>();
  const get = (_: Target, name: PropertyKey): unknown => {
    const known = methods.get(name);
    if (known !== undefined) return known;
    const member: unknown = Reflect.get(target, name);
    if (typeof member !== "function") return member;
    const counted: Method = (...args) => {
      count();
      return member.apply(target, args);
    };
    methods.set(name, counted);
    return counted;
  };
  return new Proxy(target, { get });
}
