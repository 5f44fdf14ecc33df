// Expiry: how long keys stay.

import { never, type Transaction, type View } from "../../../engine/engine.js";
import { deadlineOf, dropKey, putDeadline } from "../../../operations/keys.js";
import type { Argument } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { keyIn } from "../names.js";
import {
  isPast,
  milliseconds,
  momentOf,
  seconds,
  type TimeUnit,
  unixMilliseconds,
  unixSeconds,
} from "./expiries.js";
import { wordAt } from "./options.js";

type Run<Place extends View> = (
  place: Place,
  args: readonly Argument[],
  context: Context,
) => Encoded;

function expireBy(unit: TimeUnit, name: string): Run<Transaction> {
  return (transaction, args, { encode }) => {
    const key = keyIn(args, 0);
    const conditions = conditionsIn(args);
    const deadline = momentOf(args[1] as Argument, unit, transaction.now, name);
    const present = deadlineOf(transaction, key);
    if (present === undefined || !conditions.every((word) => holds(word, present, deadline))) {
      return encode.integer(0);
    }
    if (isPast(deadline, transaction.now)) dropKey(transaction, key);
    else putDeadline(transaction, key, deadline);
    return encode.integer(1);
  };
}

export const expire = expireBy(seconds, "expire");
export const pexpire = expireBy(milliseconds, "pexpire");
export const expireat = expireBy(unixSeconds, "expireat");
export const pexpireat = expireBy(unixMilliseconds, "pexpireat");

const conditions = ["NX", "XX", "GT", "LT"] as const;
type Condition = (typeof conditions)[number];

function holds(condition: Condition, present: number, deadline: number): boolean {
  switch (condition) {
    case "NX":
      return present === never;
    case "XX":
      return present !== never;
    case "GT":
      return deadline > present;
    case "LT":
      return deadline < present;
  }
}

function conditionsIn(args: readonly Argument[]): Condition[] {
  const found: Condition[] = [];
  for (let at = 2; at < args.length; at++) {
    const word = wordAt(args, at);
    const condition = conditions.find((name) => name === word);
    if (condition === undefined) {
      throw new CommandError(`ERR Unsupported option ${String(args[at])}`);
    }
    found.push(condition);
  }
  if (found.includes("NX") && new Set(found).size > 1) {
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (found.includes("GT") && found.includes("LT")) {
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  }
  return found;
}

export function persist(
  transaction: Transaction,
  args: readonly Argument[],
  { encode }: Context,
): Encoded {
  const key = keyIn(args, 0);
  const present = deadlineOf(transaction, key);
  if (present === undefined || present === never) return encode.integer(0);
  putDeadline(transaction, key, never);
  return encode.integer(1);
}

/** -2 for a key that is not there, -1 for one that stays. */
function timeBy(isMoment: boolean, ms: number): Run<View> {
  return (view, args, { encode }) => {
    const deadline = deadlineOf(view, keyIn(args, 0));
    if (deadline === undefined) return encode.integer(-2);
    if (deadline === never) return encode.integer(-1);
    const time = isMoment ? deadline : deadline - view.now;
    return encode.integer(ms === 1 ? time : Math.floor((time + ms / 2) / ms));
  };
}

export const ttl = timeBy(false, 1000);
export const pttl = timeBy(false, 1);
export const expiretime = timeBy(true, 1000);
export const pexpiretime = timeBy(true, 1);
