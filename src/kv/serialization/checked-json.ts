// Checked JSON: `JSON.stringify` that refuses, with its path, each part that it would lose.
//
// Parts are judged as they are written, that is, after `toJSON` and before boxed primitives are
// unwrapped. Several times slower than `JSON.stringify` alone; json.ts comes here when it must.

import { hiddenContent, type Path, type Refusal, refuse, tagOf } from "./refusal.js";

/** An object that is being written. */
interface OpenObject {
  readonly object: object;
  /** The property of the object around it that holds this one. */
  readonly step: string | number;
}

/** @throws SerializerError, or whatever accessors and `toJSON` throw. */
export function stringifyChecked(root: unknown): string | undefined {
  // From the wrapper that `JSON.stringify` puts around the root to the innermost open object. The
  // end of an object shows only when the next part is held by one further out.
  const open: OpenObject[] = [];

  function check(this: object, key: string, part: unknown): unknown {
    while (open.length > 0 && open.at(-1)?.object !== this) open.pop();
    if (open.length === 0) open.push({ object: this, step: "" });
    const step = Array.isArray(this) ? Number(key) : key;
    const refusal = lostContent(part) ?? cycle(part, open);
    if (refusal !== undefined) refuse(pathTo(step, open), refusal);
    if (typeof part === "object" && part !== null) open.push({ object: part, step });
    return part;
  }

  return JSON.stringify(root, check);
}

function lostContent(part: unknown): Refusal | undefined {
  switch (typeof part) {
    case "number":
      return Number.isFinite(part) ? undefined : { what: String(part) };
    case "bigint":
      return { what: "a BigInt", hint: "Store it as text, or as a number if it is small." };
    case "object":
      if (part !== null && tagOf(part) === "Number") return lostContent(Number(part));
      if (part !== null && tagOf(part) === "BigInt") return { what: "a BigInt" };
      return hiddenContent(part);
    default:
      return hiddenContent(part);
  }
}

function cycle(part: unknown, open: readonly OpenObject[]): Refusal | undefined {
  if (!open.some(({ object }) => object === part)) return undefined;
  return { what: "an object that contains itself" };
}

/** The first open object is the wrapper, the second the root: neither is a step. */
function pathTo(step: string | number, open: readonly OpenObject[]): Path {
  if (open.length < 2) return [];
  return [...open.slice(2).map((inner) => inner.step), step];
}
