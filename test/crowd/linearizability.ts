// Linearizability: whether operations that overlapped in time can be put in an order in which each
// has the answer that a single thread would have got, and none comes before one that had ended when
// it began (Wing and Gong's search, with states that were tried before left out).

export interface Operation<Input, Output> {
  readonly input: Input;
  /** Undefined: the process ended before it could tell; it may have happened at any time or never. */
  readonly output: Output | undefined;
  readonly begin: bigint;
  /** Of an operation without an output: without end. */
  readonly end: bigint;
}

export interface Specification<State, Input, Output> {
  readonly initial: State;
  /** The state after the operation, or undefined if it cannot have had this output here. */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** The same text for equal states. */
  keyOf(state: State): string;
}

/** Ends that come after everything. */
export const noEnd = 1n << 62n;

interface Found<State> {
  readonly index: number;
  /** Its place in the order in which operations are tried. */
  readonly turn: number;
  readonly after: State;
}

/** An order that explains the history, or undefined. */
export function linearize<State, Input, Output>(
  { initial, step, keyOf }: Specification<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Operation<Input, Output>[] | undefined {
  const operations = [...history].sort((a, b) => (a.begin < b.begin ? -1 : 1));
  const done = new Array<boolean>(operations.length).fill(false);
  const tried = new Set<string>();
  const order: number[] = [];
  const states: State[] = [initial];
  const remaining = operations.filter(({ output }) => output !== undefined).length;
  // One frame for each operation that has been placed: which one is to be tried next there.
  const next: number[] = [0];
  let told = 0;
  let first = 0;
  let highest = 0;
  for (;;) {
    if (told === remaining) return order.map((index) => operations[index] as never);
    while (done[first]) first++;
    const state = states[states.length - 1] as State;
    const found = findNext(next[next.length - 1] as number, state);
    if (found !== undefined) {
      const { index, after } = found;
      next[next.length - 1] = found.turn + 1;
      done[index] = true;
      order.push(index);
      states.push(after);
      next.push(0);
      if (operations[index]?.output !== undefined) told++;
      continue;
    }
    const undone = order.pop();
    if (undone === undefined) return undefined;
    states.pop();
    next.pop();
    done[undone] = false;
    first = Math.min(first, undone);
    if (operations[undone]?.output !== undefined) told--;
  }

  function findNext(from: number, state: State): Found<State> | undefined {
    const count = operations.length;
    return from < count
      ? (findAmong(true, from, state) ?? findAmong(false, 0, state))
      : findAmong(false, from - count, state);
  }

  /** Those without an output come last: they may as well never have happened. */
  function findAmong(isTold: boolean, from: number, state: State): Found<State> | undefined {
    // Nothing may be placed that begins after something unplaced has ended.
    let horizon = noEnd;
    for (let index = first; index < operations.length; index++) {
      const { input, output, begin, end } = operations[index] as Operation<Input, Output>;
      if (begin > horizon) return undefined;
      if (done[index]) continue;
      if (end < horizon) horizon = end;
      if (index < from || (output !== undefined) !== isTold) continue;
      const after = step(state, input, output);
      if (after === undefined || isTried(index, after)) continue;
      if (isTold) return { index, turn: index, after };
      const isIdle = keyOf(after) === keyOf(state);
      if (!isIdle) return { index, turn: operations.length + index, after };
    }
    return undefined;
  }

  function isTried(index: number, after: State): boolean {
    done[index] = true;
    highest = Math.max(highest, index);
    let end = first;
    while (done[end]) end++;
    // What is done: everything below `end`, and what is named.
    const beyond: number[] = [];
    for (let other = end; other <= highest; other++) {
      if (done[other]) beyond.push(other);
    }
    done[index] = false;
    const key = `${end};${beyond};${keyOf(after)}`;
    if (tried.has(key)) return true;
    tried.add(key);
    return false;
  }
}

export type RegisterInput =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: number }
  | { readonly kind: "swap"; readonly expected: number | null; readonly value: number }
  | { readonly kind: "add" }
  | { readonly kind: "delete" };

/** One key: what a read finds is null when it is not there. */
export const register: Specification<number | null, RegisterInput, number | boolean | null> = {
  initial: null,
  keyOf: String,
  step(state, input, output) {
    const unknown = output === undefined;
    if (input.kind === "read") return unknown || output === state ? state : undefined;
    if (input.kind === "write") return input.value;
    if (input.kind === "add") {
      const sum = (state ?? 0) + 1;
      return unknown || output === sum ? sum : undefined;
    }
    if (input.kind === "delete") return unknown || output === (state !== null) ? null : undefined;
    const matches = state === input.expected;
    if (!unknown && output !== matches) return undefined;
    return matches ? input.value : state;
  },
};

export type LeaseInput =
  | { readonly kind: "claim" }
  | { readonly kind: "release"; readonly token: number };

/** Of a holder that was never told. */
const untold = -1;

/** One key that may be claimed; the state is the token of its holder, and the highest so far. */
interface Lease {
  readonly holder: number | null;
  readonly highest: number;
}

/** A claim gives a token, or null when the key is held; a release tells whether it was held. */
export const lease: Specification<Lease, LeaseInput, number | boolean | null> = {
  initial: { holder: null, highest: 0 },
  keyOf: ({ holder, highest }) => `${holder},${highest}`,
  step(state, input, output) {
    if (input.kind === "claim") {
      if (output === null) return state.holder === null ? undefined : state;
      if (output === undefined) {
        const { holder, highest } = state;
        return holder === null ? { holder: untold, highest: highest + 1 } : state;
      }
      if (typeof output !== "number") return undefined;
      if (state.holder !== null || output <= state.highest) return undefined;
      return { holder: output, highest: output };
    }
    const held = state.holder === input.token;
    if (output !== undefined && output !== held) return undefined;
    return held ? { ...state, holder: null } : state;
  },
};
