// Prepared call: an operation of the table, ready to be called with the body of a request.
//
// What can be known beforehand is: where each argument goes, which of them have to be read, and what
// is done with the result. A call costs a look-up for each member of the body.

import { InvalidOptionsError } from "../../base/errors.js";
import type { Fields } from "../../kv/arguments.js";
import type { Filter } from "../../kv/filter.js";
import type { Kv } from "../../kv/kv.js";
import type { ConfinedDirectory } from "../files/confined-directory.js";
import type { HttpOperation } from "./operation.js";
import { refused } from "./refusal.js";
import { readerOf } from "./values.js";

export interface CallContext {
  readonly kv: Kv;
  readonly files: ConfinedDirectory | undefined;
  /** Given to operations that have a `pace`. */
  readonly signal: AbortSignal | undefined;
}

export type PreparedCall = (body: Fields, context: CallContext) => Promise<unknown>;

interface Place {
  /** -1: among the options. */
  readonly index: number;
  readonly read: ((json: unknown) => unknown) | undefined;
}

type Methods = Readonly<Record<string, (...parameters: unknown[]) => Promise<unknown>>>;
type Options = Record<string, unknown>;

export function prepareCall(operation: HttpOperation, isBytes: boolean): PreparedCall {
  const gather = gatherer(operation, isBytes);
  const run = runner(operation);
  const { told, file } = operation;
  const call: PreparedCall =
    told === undefined
      ? async (body, context) => run(gather(body), context)
      : async (body, context) => told(await run(gather(body), context));
  return file === undefined ? call : withFile(file, call);
}

/** Positional parameters, with the options last. */
function gatherer(
  { name, parameters }: HttpOperation,
  isBytes: boolean,
): (body: Fields) => unknown[] {
  const places = new Map<string, Place>();
  const required = parameters.filter(({ isRequired, isOption }) => isRequired && !isOption);
  const requiredNames = required.map((parameter) => parameter.name);
  let positions = 0;
  for (const parameter of parameters) {
    const index = parameter.isOption ? -1 : positions++;
    places.set(parameter.name, { index, read: readerOf(parameter, isBytes) });
  }
  return (body) => {
    for (const given of requiredNames) {
      if (!Object.hasOwn(body, given)) throw missingMember(name, given);
    }
    const values: unknown[] = new Array(positions).fill(undefined);
    let options: Options | undefined;
    for (const member of Object.keys(body)) {
      const place = places.get(member);
      if (place === undefined) throw unknownMember(name, member, places);
      const { index, read } = place;
      const value = read === undefined ? body[member] : read(body[member]);
      if (index >= 0) values[index] = value;
      else {
        options ??= {};
        options[member] = value;
      }
    }
    if (options !== undefined) values.push(options);
    return values;
  };
}

/** Here undefined cannot be meant: it would be a null that nobody has written. */
function missingMember(operation: string, member: string): InvalidOptionsError {
  return new InvalidOptionsError(`argument "${member}" of ${operation} must be given`);
}

function unknownMember(
  operation: string,
  member: string,
  places: ReadonlyMap<string, Place>,
): InvalidOptionsError {
  const shown = member.length > 40 ? "a long name" : JSON.stringify(member);
  const known = [...places.keys()].sort().join(", ");
  return new InvalidOptionsError(`argument ${shown} of ${operation} is not known`, {
    hint: known === "" ? "it takes none" : `known are ${known}`,
  });
}

function runner({
  target,
  parameters,
  pace,
}: HttpOperation): (values: unknown[], context: CallContext) => Promise<unknown> {
  const { method } = target;
  if (target.of === "filter") {
    return ([bucket, ...values], { kv }) => {
      const filter: Filter = kv.filter(bucket as string);
      return (filter as unknown as Methods)[method]?.apply(filter, values) as Promise<unknown>;
    };
  }
  const positions = parameters.filter(({ isOption }) => !isOption).length;
  return (values, { kv, signal }) => {
    if (pace !== undefined && signal !== undefined) {
      const options = values[positions] as Options | undefined;
      values[positions] = { ...options, signal };
    }
    return (kv as unknown as Methods)[method]?.apply(kv, values) as Promise<unknown>;
  };
}

function withFile(file: NonNullable<HttpOperation["file"]>, call: PreparedCall): PreparedCall {
  return async (body, context) => {
    const { files } = context;
    if (files === undefined) {
      throw refused(
        403,
        "this server has no directory for files",
        "start it with the option `files`, or use the streams under /v1/export.jsonl and /v1/export.csv",
      );
    }
    const { fileName } = body;
    const use = (path: string): Promise<unknown> => call({ ...body, fileName: path }, context);
    const result =
      file === "write"
        ? await files.writing(fileName, use)
        : await files.reading(fileName, use, file === "read by name");
    return named(result, fileName);
  };
}

/** The name comes back as it was given. */
function named(result: unknown, fileName: unknown): unknown {
  if (typeof result !== "object" || result === null || !("fileName" in result)) return result;
  return { ...result, fileName };
}
