// History draws: how often each operation comes, and with what arguments.
//
// The table names every operation, or it does not compile. Weights favour what brings states about
// (writes, claims, arrays, time) over what only looks at them: inspections come on top.

import type { Command, Draw } from "./history-commands.js";

interface Drawing {
  readonly weight: number;
  readonly args: (draw: Draw) => readonly unknown[];
}

/** Reopenings are for stores that outlive their handles, and come on top. */
type DrawnMethod = Exclude<Command["method"], "reopen">;

const drawings: { readonly [Name in DrawnMethod]: Drawing } = {
  get: { weight: 3, args: (d) => [d.key()] },
  find: { weight: 2, args: (d) => [d.key()] },
  getMany: { weight: 2, args: (d) => [d.list(4, () => (d.once(9) ? "" : d.key()))] },
  set: { weight: 14, args: (d) => [d.key(), d.value(), d.replacing()] },
  setMany: { weight: 4, args: (d) => [entries(d), d.replacing()] },
  delete: { weight: 2, args: (d) => [d.key(), d.guarded()] },
  deleteIfExists: { weight: 2, args: (d) => [d.key(), d.guarded()] },
  deleteMany: { weight: 2, args: (d) => [d.list(3, () => d.key()), d.guarded()] },
  deleteByPrefix: { weight: 1, args: (d) => [doomed(d)] },
  fetchRemove: { weight: 2, args: (d) => [d.key(), d.guarded()] },
  exists: { weight: 2, args: (d) => [d.key()] },
  clear: { weight: 0.3, args: () => [] },
  incrementBy: { weight: 6, args: (d) => [d.key(), d.delta(), d.creating()] },
  getOrSet: { weight: 4, args: (d) => [d.key(), d.value(), d.creating()] },
  swap: { weight: 4, args: (d) => [d.key(), d.value(), d.replacing()] },
  compareAndSwap: { weight: 5, args: (d) => compared(d, d.value(), d.replacing()) },
  compareAndSwapDetailed: {
    weight: 4,
    args: (d) => compared(d, d.value(), d.comparing(d.replacing())),
  },
  setIfAbsent: { weight: 4, args: (d) => [d.key(), d.value(), d.creating()] },
  compareAndDelete: { weight: 3, args: (d) => compared(d, d.guarded()) },
  compareAndDeleteDetailed: {
    weight: 3,
    args: (d) => compared(d, d.comparing(d.guarded())),
  },
  scan: { weight: 4, args: (d) => [d.page()] },
  scanKeys: { weight: 3, args: (d) => [d.page()] },
  list: { weight: 2, args: (d) => [d.limited()] },
  listKeys: { weight: 2, args: (d) => [d.limited()] },
  size: { weight: 1, args: () => [] },
  count: { weight: 2, args: (d) => [d.prefixed()] },
  randomKey: { weight: 2, args: (d) => [d.prefixed()] },
  randomKeys: { weight: 3, args: (d) => [{ ...counted(d), unique: d.once(2) }] },
  claimRandom: { weight: 9, args: (d) => [{ ...d.prefixed(), ...d.lease() }] },
  claimRandomMany: { weight: 3, args: (d) => [{ ...counted(d), ...d.lease() }] },
  claimKey: { weight: 10, args: (d) => [d.key(), d.lease()] },
  claimKeys: {
    weight: 4,
    args: (d) => [d.distinctKeys(), { ...d.lease(), allOrNothing: d.once(2) }],
  },
  popRandom: { weight: 2, args: (d) => [d.prefixed()] },
  popRandomMany: { weight: 1, args: (d) => [counted(d)] },
  releaseClaim: { weight: 4, args: (d) => [d.claim()] },
  completeClaim: { weight: 4, args: (d) => [d.claim(), { deleteKey: d.once(2) }] },
  renewClaim: { weight: 4, args: (d) => [d.claim(), { ttl: d.ttl() }] },
  releaseClaims: { weight: 2, args: (d) => [d.list(3, () => d.claim())] },
  completeClaims: {
    weight: 2,
    args: (d) => [d.list(3, () => d.claim()), { deleteKey: d.once(2) }],
  },
  renewClaims: { weight: 2, args: (d) => [d.list(3, () => d.claim()), { ttl: d.ttl() }] },
  listClaims: { weight: 3, args: (d) => [d.page()] },
  append: { weight: 7, args: (d) => [d.key(), d.value(), d.creating()] },
  prepend: { weight: 4, args: (d) => [d.key(), d.value(), d.creating()] },
  pop: { weight: 4, args: (d) => [d.key(), d.guarded()] },
  popFirst: { weight: 4, args: (d) => [d.key(), d.guarded()] },
  popWait: { weight: 3, args: (d) => [d.key(), d.waiting()] },
  popFirstWait: { weight: 4, args: (d) => [d.key(), d.waiting()] },
  length: { weight: 2, args: (d) => [d.key()] },
  range: { weight: 3, args: (d) => [d.key(), d.position(), d.position()] },
  deleteArray: { weight: 2, args: (d) => [d.key(), d.guarded()] },
  listArrays: { weight: 2, args: (d) => [d.limited()] },
  expire: { weight: 5, args: (d) => [d.key(), d.ttl(), d.guarded()] },
  ttl: { weight: 2, args: (d) => [d.key()] },
  persist: { weight: 3, args: (d) => [d.key(), d.guarded()] },
  stats: { weight: 1, args: () => [] },
  allocationStats: { weight: 2, args: (d) => [d.prefixed()] },
  reportStats: { weight: 0.3, args: () => [] },
  rebuildKeyList: { weight: 1, args: () => [] },
  "filter.contains": { weight: 2, args: (d) => [d.bucket(), d.item()] },
  "filter.add": { weight: 4, args: (d) => [d.bucket(), d.item(), d.creating()] },
  "filter.checkThenAdd": { weight: 4, args: (d) => [d.bucket(), d.item(), d.creating()] },
  "filter.delete": { weight: 4, args: (d) => [d.bucket(), d.item(), d.guarded()] },
  "filter.size": { weight: 2, args: (d) => [d.bucket()] },
  "filter.clear": { weight: 1, args: (d) => [d.bucket()] },
  advance: { weight: 8, args: (d) => [d.moment()] },
  stall: { weight: 10, args: (d) => [d.moment()] },
  abort: { weight: 1, args: (d) => [{ oldestWaitBut: d.below(3) }] },
  inspect: { weight: 0, args: () => [] },
};

function entries(draw: Draw): object {
  return { entries: draw.list(4, () => [draw.key(), draw.value()]) };
}

/** A key, what is expected there, and further arguments. */
function compared(draw: Draw, ...others: readonly unknown[]): readonly unknown[] {
  const key = draw.key();
  return [key, draw.expected(key), ...others];
}

function doomed(draw: Draw): object {
  return {
    prefix: draw.of(["a", "ab", "queue", "😀"]),
    limit: 1 + draw.below(3),
    ...draw.guarded(),
  };
}

function counted(draw: Draw): object {
  return { ...draw.prefixed(), count: 1 + draw.below(4) };
}

// Ten entries for a weight of 1: a draw is one look into a table.
const lottery: readonly DrawnMethod[] = Object.entries(drawings).flatMap(([method, { weight }]) =>
  Array.from({ length: Math.round(weight * 10) }, () => method as DrawnMethod),
);

function drawCommand(draw: Draw): Command {
  const method = draw.of(lottery);
  return { method, args: drawings[method].args(draw) } as Command;
}

const stepsBetweenInspections = 20;
/** On average. */
const stepsBetweenReopenings = 30;

/** So many operations, with an inspection now and then, and `reopens`: with reopenings at random. */
export function drawCommands(draw: Draw, operations: number, reopens: boolean): Command[] {
  const commands: Command[] = [];
  for (let drawn = 1; drawn <= operations; drawn++) {
    commands.push(drawCommand(draw));
    if (reopens && draw.once(stepsBetweenReopenings)) commands.push({ method: "reopen", args: [] });
    if (drawn % stepsBetweenInspections === 0) commands.push({ method: "inspect", args: [] });
  }
  return commands;
}
