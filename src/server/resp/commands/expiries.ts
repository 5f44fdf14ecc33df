// Expiries: durations and moments among arguments, as deadlines.

import { never } from "../../../engine/engine.js";
import type { Argument } from "../argument.js";
import { wrongExpiry } from "../errors.js";
import { int64 } from "../numbers.js";

/** Whether a number counts seconds, and from when on. */
export interface TimeUnit {
  readonly ms: 1 | 1000;
  readonly isMoment: boolean;
}

export const seconds: TimeUnit = { ms: 1000, isMoment: false };
export const milliseconds: TimeUnit = { ms: 1, isMoment: false };
export const unixSeconds: TimeUnit = { ms: 1000, isMoment: true };
export const unixMilliseconds: TimeUnit = { ms: 1, isMoment: true };

/** The last moment that a store keeps exactly. */
const deadlineMax = Number.MAX_SAFE_INTEGER;
/** Long past, and the last that 64 bits hold. */
const momentMin = -(2 ** 63);

/**
 * The moment that an argument means; it may lie in the past.
 * @throws CommandError when it is no whole number, or beyond what a store can keep.
 */
export function momentOf(argument: Argument, unit: TimeUnit, now: number, name: string): number {
  const count = Number(int64(argument));
  const moment = count * unit.ms + (unit.isMoment ? 0 : now);
  if (moment > deadlineMax || moment < momentMin) throw wrongExpiry(name);
  return moment;
}

/** As `momentOf`, of commands that take no number below 1. */
export function deadlineIn(argument: Argument, unit: TimeUnit, now: number, name: string): number {
  if (int64(argument) <= 0) throw wrongExpiry(name);
  return momentOf(argument, unit, now, name);
}

const units: Readonly<Record<string, TimeUnit>> = {
  EX: seconds,
  PX: milliseconds,
  EXAT: unixSeconds,
  PXAT: unixMilliseconds,
};

/** The unit that an option of SET or GETEX names. */
export function unitOf(option: string): TimeUnit | undefined {
  return Object.hasOwn(units, option) ? units[option] : undefined;
}

export function isPast(deadline: number, now: number): boolean {
  return deadline !== never && deadline <= now;
}
