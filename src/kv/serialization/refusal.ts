// Refusals: which values no text can keep, and errors that name the offending part by its path.
//
// An error tells where (`value.items[3].price`) and what kind; it never repeats contents, which
// may be long or secret.

import { SerializerError } from "../../base/errors.js";

/** Where in a value: property names and array indices from the outside in. */
export type Path = readonly (string | number)[];

/** What is wrong with a part of a value. */
export interface Refusal {
  /** Completes "value.x is ...". */
  readonly what: string;
  readonly hint?: string;
}

const pathStepsMax = 12;
const stepLengthMax = 40;

const collectionHint = "Store a plain object or an array made from it.";
const bytesHint = 'Store an array or text made from it, or use serialization "bytes".';

/**
 * Built-in objects that keep their content outside of properties, so that `JSON.stringify` writes
 * `{}`. They are told apart by their tag, which works across realms.
 */
const hidden: ReadonlyMap<string, Refusal> = new Map([
  ["Map", { what: "a Map", hint: collectionHint }],
  ["Set", { what: "a Set", hint: collectionHint }],
  ["WeakMap", { what: "a WeakMap" }],
  ["WeakSet", { what: "a WeakSet" }],
  ["WeakRef", { what: "a WeakRef" }],
  ["Promise", { what: "a Promise", hint: "Await it before storing its value." }],
  ["ArrayBuffer", { what: "an ArrayBuffer", hint: bytesHint }],
  ["SharedArrayBuffer", { what: "a SharedArrayBuffer", hint: bytesHint }],
  ["Error", { what: "an Error", hint: "Store its name, message and stack as a plain object." }],
  ["RegExp", { what: "a RegExp", hint: "Store its source and flags." }],
  ["Symbol", { what: "a symbol" }],
  ["Generator", { what: "a generator", hint: collectionHint }],
  ["AsyncGenerator", { what: "an asynchronous generator" }],
  ["Array Iterator", { what: "an iterator", hint: collectionHint }],
  ["Map Iterator", { what: "an iterator", hint: collectionHint }],
  ["Set Iterator", { what: "an iterator", hint: collectionHint }],
]);

/** The name inside `[object Map]`. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Why no text keeps `value` itself (its parts aside), or undefined if nothing speaks against it. */
export function hiddenContent(value: unknown): Refusal | undefined {
  if (typeof value === "function") return { what: "a function" };
  if (typeof value === "symbol") return { what: "a symbol" };
  if (typeof value !== "object" || value === null) return undefined;
  if (ArrayBuffer.isView(value))
    return { what: `a binary view (${tagOf(value)})`, hint: bytesHint };
  return hidden.get(tagOf(value));
}

/** @throws SerializerError, always. */
export function refuse(path: Path, { what, hint }: Refusal): never {
  const details = hint === undefined ? undefined : { hint };
  throw new SerializerError(`${pathText(path)} is ${what}, which cannot be stored`, details);
}

/** What broke off an encoding as a `SerializerError`: ours as it is, anything else as the cause. */
export function encodingError(cause: unknown): SerializerError {
  if (cause instanceof SerializerError) return cause;
  if (cause instanceof RangeError) {
    const tooDeep = /call stack/i.test(cause.message);
    return new SerializerError(`value is ${tooDeep ? "nested too deeply" : "too large"}`, {
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : typeof cause;
  return new SerializerError(`value cannot be read for storing: ${reason}`, { cause });
}

function pathText(path: Path): string {
  const steps = path.map(stepText);
  if (steps.length > pathStepsMax) {
    const half = pathStepsMax / 2;
    steps.splice(half, steps.length - pathStepsMax, " ... ");
  }
  return `value${steps.join("")}`;
}

// Plain names stand there twice because not every engine knows these properties.
const identifier = /^(?:[A-Za-z_$][\w$]*|[\p{ID_Start}$_][\p{ID_Continue}$]*)$/u;

function stepText(step: string | number): string {
  if (typeof step === "number") return `[${step}]`;
  if (step.length > stepLengthMax) return `[${JSON.stringify(step.slice(0, stepLengthMax))}...]`;
  return identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
