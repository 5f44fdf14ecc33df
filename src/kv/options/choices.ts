// Choices: options that are one of a few texts, groups of options, and numbers of the seeds.

import { describe, type Fields, field, fieldsOf, isInteger, refuse } from "../arguments.js";

export const backends = ["memory", "wal", "disk", "shared", "valkey"] as const;
export const serializations = ["json", "string", "bytes"] as const;

/** The options of a group; none when it is absent. */
export function group(fields: Fields, name: string): Fields {
  return fieldsOf(field(fields, name), `option "${name}"`);
}

/** @throws the error that is given. */
export function choice<Choice extends string>(
  fields: Fields,
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
  error: new (message: string) => Error,
): Choice {
  const value = field(fields, name) ?? fallback;
  const found = choices.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new error(`option "${name}" must be one of ${choices.join(", ")}, got ${describe(value)}`);
}

/** Of the group "memory"; 0 stands for automatic. @throws InvalidOptionsError */
export function shardCount(fields: Fields): number {
  const count = field(fields, "shardCount") ?? 0;
  if (!isInteger(count)) refuse('option "memory.shardCount"', "an integer", count);
  return Math.max(0, count);
}
