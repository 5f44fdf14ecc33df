// Operation: one row of the table that drives dispatch, the OpenAPI document, the reference in
// docs/http.md and the tests.
//
// A row says what a method of the library is called here and how its parameters are named in the body
// of a request: arguments by their place, options beside them. What values they may have is checked
// by the library itself, so that there is one truth; the schemas describe it.

import { filterOperationNames, operationNames } from "../../kv/operation-names.js";
import { claimRef, type Schema, ttl } from "./schema.js";

export interface Parameter {
  readonly name: string;
  readonly schema: Schema;
  readonly summary: string;
  readonly isRequired: boolean;
  /** Options stand together behind the arguments of the method. */
  readonly isOption: boolean;
  /**
   * What the JSON stands for where it is not meant as it is: a value of the store, values by their
   * keys, an item of a filter.
   */
  readonly holds?: "value" | "entries" | "item";
}

type KvMethod = keyof typeof operationNames;
type FilterMethod = keyof typeof filterOperationNames;

export interface HttpOperation {
  /** The last part of the path, and the name in traces and metrics. */
  readonly name: string;
  readonly family: string;
  readonly target:
    | { readonly of: "kv"; readonly method: KvMethod }
    | { readonly of: "filter"; readonly method: FilterMethod };
  /** What a token must allow. All that makes or reads files is "write". */
  readonly access: "read" | "write";
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** Of the member `result`. */
  readonly result: Schema;
  /** When `result` is left out, if it ever is. */
  readonly absent?: string;
  /** It takes a signal: it may wait for others ("waits"), or take its time ("works"). */
  readonly pace?: "waits" | "works";
  /** What it does with the file of its option `fileName`. */
  readonly file?: "read" | "read by name" | "write";
  /** What is told of the result of the method; absent: all of it. */
  readonly told?: (result: unknown) => unknown;
}

type Details = Pick<HttpOperation, "access" | "summary" | "result"> &
  Partial<Pick<HttpOperation, "absent" | "pace" | "file" | "told">> & {
    readonly parameters?: readonly Parameter[];
  };

export function kvOperation(family: string, method: KvMethod, details: Details): HttpOperation {
  const target = { of: "kv", method } as const;
  return { name: operationNames[method], family, target, parameters: [], ...details };
}

export function filterOperation(method: FilterMethod, details: Details): HttpOperation {
  const target = { of: "filter", method } as const;
  const name = filterOperationNames[method];
  return { name, family: "Filters", target, parameters: [], ...details };
}

/** An argument that has to be given. */
export function argument(
  name: string,
  schema: Schema,
  summary: string,
  holds?: Parameter["holds"],
): Parameter {
  const parameter = { name, schema, summary, isRequired: true, isOption: false };
  return holds === undefined ? parameter : { ...parameter, holds };
}

export function optionalArgument(parameter: Parameter): Parameter {
  return { ...parameter, isRequired: false };
}

export function option(name: string, schema: Schema, summary: string): Parameter {
  return { name, schema, summary, isRequired: false, isOption: true };
}

export function requiredOption(name: string, schema: Schema, summary: string): Parameter {
  return { ...option(name, schema, summary), isRequired: true };
}

export const guard: Parameter = option(
  "claim",
  claimRef,
  "refuse with `StaleClaimError`, changing nothing, unless this claim is live",
);
export const ttlOption: Parameter = option("ttl", ttl, "milliseconds until the key vanishes");
export const ttlOnCreate: Parameter = option(
  "ttl",
  ttl,
  "milliseconds until a key that this creates vanishes",
);
