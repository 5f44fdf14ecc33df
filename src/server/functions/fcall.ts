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
import { callWithFile, isFileCall, type ServedFiles } from "./file-calls.js";
import { type FunctionLibrary, natureOf } from "./function-library.js";
import type { FunctionReply } from "./function-reply.js";
import { refusal } from "./refusals.js";

/** The names under which clients know the served store. */
export interface ServedName {
  readonly prefix: string;
  /** Without braces. */
  readonly store: string;
}

interface FunctionName {
  readonly digest: string | undefined;
  readonly operation: string;
  readonly nature: ReturnType<typeof natureOf>;
}

const named = /^anykv_(?:([0-9a-f]{10})_)?([a-z_]+)$/i;
const libraryHead = /^#!lua\s+name=(\w+)\s/;
const wholeNumber = /^-?\d{1,19}$/;
/** Names that have been read before; clients use a few hundred. */
const knownNamesMax = 1_000;

/** What the words behind FCALL ask for. */
export interface AskedFunction {
  readonly operation: string;
  readonly args: readonly Argument[];
  /** The answer, where there is nothing to be carried out. */
  readonly reply: FunctionReply | undefined;
}

export class FunctionDoor {
  readonly library: FunctionLibrary;
  readonly #files: ServedFiles | undefined;
  readonly #name: ServedName;
  readonly #key: string;
  readonly #names = new Map<string, FunctionName>();

  /** Without `files`, operations on files are not known. */
  constructor(library: FunctionLibrary, name: ServedName, files?: ServedFiles) {
    this.library = library;
    this.#files = files;
    this.#name = name;
    this.#key = `${partitionTag(name.prefix, name.store, 0)}:v`;
  }

  /** @throws CommandError as the real server words it, LibraryError for another store. */
  read(words: readonly Argument[], onlyReads: boolean): AskedFunction {
    const { digest, operation, nature } = this.#named(words[0]);
    const keys = countOfKeys(words);
    if (onlyReads && nature === "write") {
      throw new CommandError("ERR Can not execute a script with write flag using *_ro command.");
    }
    const args = words.slice(2 + keys);
    if (operation === "version") return { operation, args, reply: digest ?? 1 };
    if (keys !== 1 || words[2] !== this.#key) this.#checkKeys(words.slice(2, 2 + keys));
    return { operation, args, reply: undefined };
  }

  /**
   * Carries out the words behind FCALL, or FCALL_RO. Work with files ends with the signal that
   * `attend` gives, without one when the server does.
   *
   * @throws what `read` throws and what the library refuses, or rejects with it.
   */
  call(
    words: readonly Argument[],
    onlyReads: boolean,
    attend?: () => AbortSignal,
  ): Awaitable<FunctionReply> {
    const { operation, args, reply } = this.read(words, onlyReads);
    return reply ?? this.carryOut(operation, args, attend);
  }

  /** What `read` has found to be asked for. */
  carryOut(
    operation: string,
    args: readonly Argument[],
    attend?: () => AbortSignal,
  ): Awaitable<FunctionReply> {
    const files = this.#files;
    if (files === undefined || !isFileCall(operation)) return this.library.call(operation, args);
    const signal = attend?.() ?? files.signal;
    return callWithFile({ ...files, signal }, operation, args);
  }

  /** Whether there is such an operation, and whether it changes nothing that anybody can observe. */
  natureOf(operation: string): ReturnType<typeof natureOf> {
    return this.#files !== undefined && isFileCall(operation) ? "write" : natureOf(operation);
  }

  /** Whether a call of the function is none that a user who may only read should be refused. */
  changesNothing(name: Argument | undefined): boolean {
    if (typeof name !== "string" || !named.test(name)) return true; // there is no such function
    const { operation, nature } = this.#named(name);
    return nature !== "write" || operation === "open";
  }

  #named(name: Argument | undefined): FunctionName {
    const known = this.#names.get(name as string);
    if (known !== undefined) return known;
    const match = typeof name === "string" ? named.exec(name) : null;
    if (match === null) throw new CommandError("ERR Function not found");
    const [, digest, operation = ""] = match.map((part) => part?.toLowerCase());
    const found = { digest, operation, nature: this.natureOf(operation) };
    const isKept = found.nature !== "unknown" && this.#names.size < knownNamesMax;
    if (isKept) this.#names.set(match[0], found);
    return found;
  }

  /** @throws LibraryError for another store, or another partition of this one. */
  #checkKeys([first, second, ...more]: readonly Argument[]): void {
    const { prefix, store } = this.#name;
    const tag = partitionTag(prefix, store, 0);
    const isOurs = second === undefined || second === `${tag}:x`;
    if (first === this.#key && isOurs && more.length === 0) return;
    const before = `${prefix}:{${store}:`;
    const isSibling =
      typeof first === "string" &&
      first !== this.#key &&
      first.startsWith(before) &&
      /^\d+\}:v$/.test(first.slice(before.length));
    throw isSibling ? refusal("PARTITIONS", "1") : refusal("UNKNOWN_STORE", tag);
  }
}

function countOfKeys(words: readonly Argument[]): number {
  const [count, given] = [words[1], words.length - 2];
  if (count === "1" && given > 0) return 1;
  const keys = typeof count === "string" && wholeNumber.test(count) ? BigInt(count) : undefined;
  if (keys === undefined || keys >= 2n ** 63n || keys < -(2n ** 63n)) {
    throw new CommandError("ERR Bad number of keys provided");
  }
  if (keys > given) {
    throw new CommandError("ERR Number of keys can't be greater than number of args");
  }
  if (keys < 0) throw new CommandError("ERR Number of keys can't be negative");
  return Number(keys);
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
