// FCALL: which operation a command asks for, and of which store.
//
//   FCALL anykv_<digest>_<operation> <number of keys> <tag>:v <arguments>
//
// The digest is that of the library that a client would load. There is none here: every one is
// answered, and none at all.
//
// The served store has one partition, and its tag is the only one that is known here. A second key is
// `<tag>:x`, which clients of a cluster send along.

import type { Awaitable } from "../../engine/engine.js";
import { partitionTag } from "../../remote/partitions.js";
import type { Argument } from "../resp/argument.js";
import { CommandError } from "../resp/command.js";
import { type FunctionLibrary, natureOf } from "./function-library.js";
import type { FunctionReply } from "./function-reply.js";
import { refusal } from "./refusals.js";

/** The names under which clients know the served store. */
export interface ServedName {
  readonly prefix: string;
  /** Without braces. */
  readonly store: string;
}

interface NamedCall {
  readonly digest: string | undefined;
  readonly operation: string;
  readonly keys: readonly Argument[];
  readonly args: readonly Argument[];
}

const named = /^anykv_(?:([0-9a-f]{10})_)?([a-z_]+)$/i;
const libraryHead = /^#!lua\s+name=(\w+)\s/;
const wholeNumber = /^-?\d{1,19}$/;

/**
 * Carries out the words behind FCALL, or FCALL_RO.
 *
 * @throws CommandError as the real server words it, LibraryError for what the library refuses.
 */
export function fcall(
  library: FunctionLibrary,
  name: ServedName,
  words: readonly Argument[],
  onlyReads: boolean,
): Awaitable<FunctionReply> {
  const { digest, operation, keys, args } = namedCall(words);
  if (onlyReads && natureOf(operation) === "write") {
    throw new CommandError("ERR Can not execute a script with write flag using *_ro command.");
  }
  if (operation === "version") return digest ?? 1;
  checkKeys(keys, name);
  return library.call(operation, args);
}

function namedCall([name = "", count = "", ...rest]: readonly Argument[]): NamedCall {
  const match = typeof name === "string" ? named.exec(name) : null;
  if (match === null) throw new CommandError("ERR Function not found");
  const [, digest, operation = ""] = match.map((part) => part?.toLowerCase());
  const keys = typeof count === "string" && wholeNumber.test(count) ? BigInt(count) : undefined;
  if (keys === undefined || keys >= 2n ** 63n || keys < -(2n ** 63n)) {
    throw new CommandError("ERR Bad number of keys provided");
  }
  if (keys > rest.length) {
    throw new CommandError("ERR Number of keys can't be greater than number of args");
  }
  if (keys < 0) throw new CommandError("ERR Number of keys can't be negative");
  return { digest, operation, keys: rest.slice(0, Number(keys)), args: rest.slice(Number(keys)) };
}

/**
 * The answer to FUNCTION LOAD: the name of the library, which is not loaded, because its operations
 * are answered anyway.
 *
 * @throws CommandError for other libraries.
 */
export function loadedName(source: Argument): string {
  const [, name = ""] = libraryHead.exec(typeof source === "string" ? source : "") ?? [];
  if (/^anykv(_|$)/.test(name)) return name;
  throw new CommandError("ERR only the library of anykv is answered here, and nothing is loaded");
}

/** @throws LibraryError for another store, or another partition of this one. */
function checkKeys([first, second]: readonly Argument[], { prefix, store }: ServedName): void {
  const tag = partitionTag(prefix, store, 0);
  if (first === `${tag}:v` && (second === undefined || second === `${tag}:x`)) return;
  const [before, behind] = [`${prefix}:{${store}:`, "}:v"];
  const isSibling =
    typeof first === "string" &&
    first.startsWith(before) &&
    /^\d+\}:v$/.test(first.slice(before.length));
  if (isSibling && first !== `${before}0${behind}`) throw refusal("PARTITIONS", "1");
  throw refusal("UNKNOWN_STORE", tag);
}
