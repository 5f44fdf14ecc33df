// The bytes of a call, as RESP: an array of bulk strings.
//
//   FCALL <library>_<operation> 1 <tag>:v <arguments>        functions
//   EVALSHA <sha1> 1 <tag>:v <operation> <arguments>         scripts, or EVAL with the source itself
//
// On a cluster a second key, `<tag>:x`, is declared, which never exists. While a slot moves to
// another node its keys move one by one, and a node that has the declared key would run a function
// on half of the partition. A call that declares a key which is there and one which is not, or is
// asked for at the new node, is refused with TRYAGAIN until all keys have moved; one that declares
// two keys which are not there is sent to the new node (ASK), which refuses it in the same way.
//
// Text alone gives text, which is cheaper to write; bytes among the arguments give bytes.

import type { Argument, Call } from "../connection.js";
import { partitionTag } from "../partitions.js";

export interface CallNames {
  readonly prefix: string;
  /** The name of the store, without braces. */
  readonly store: string;
  readonly partitions: number;
  readonly isCluster: boolean;
}

/** How functions are reached. */
export type CallForm =
  | { readonly kind: "function" }
  | { readonly kind: "sha1"; readonly sha1: string }
  | { readonly kind: "source"; readonly source: string };

/** How bulk strings begin, by their number of bytes. */
const heads = Array.from({ length: 1_024 }, (_, bytes) => `$${bytes}\r\n`);

export function bulk(text: string): string {
  const bytes = Buffer.byteLength(text);
  return `${heads[bytes] ?? `$${bytes}\r\n`}${text}\r\n`;
}

export class CallEncoder {
  /** For each partition its number of keys and its keys. */
  readonly #keys: readonly string[];
  readonly #keyCount: number;
  readonly #library: string;
  // The command and the name of the function, for each operation.
  // Names of operations are few, and never come from outside.
  readonly #functions = new Map<string, string>();

  constructor({ prefix, store, partitions, isCluster }: CallNames, library: string) {
    this.#keyCount = isCluster ? 2 : 1;
    this.#library = library;
    this.#keys = Array.from({ length: partitions }, (_, partition) => {
      const tag = partitionTag(prefix, store, partition);
      const keys = isCluster ? [`${tag}:v`, `${tag}:x`] : [`${tag}:v`];
      return bulk(`${keys.length}`) + keys.map(bulk).join("");
    });
  }

  encode({ operation, partition, args }: Call, form: CallForm): string | Buffer {
    const keys = this.#keys[partition] as string;
    // Command, function and number of keys, or command, script, number of keys and function.
    const count = args.length + this.#keyCount + (form.kind === "function" ? 3 : 4);
    const start = `*${count}\r\n`;
    if (form.kind === "function") {
      return withArguments(start + this.#functionOf(operation) + keys, args);
    }
    const script =
      form.kind === "sha1" ? bulk("EVALSHA") + bulk(form.sha1) : bulk("EVAL") + bulk(form.source);
    return withArguments(start + script + keys + bulk(operation), args);
  }

  #functionOf(operation: string): string {
    const known = this.#functions.get(operation);
    if (known !== undefined) return known;
    const words = bulk("FCALL") + bulk(`${this.#library}_${operation}`);
    this.#functions.set(operation, words);
    return words;
  }
}

function withArguments(head: string, args: readonly Argument[]): string | Buffer {
  let text = head;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as Argument;
    if (typeof argument === "object") return withBytes(text, args, index);
    text += bulk(typeof argument === "string" ? argument : String(argument));
  }
  return text;
}

/** The same from the argument `from` on, the first one of bytes. */
function withBytes(head: string, args: readonly Argument[], from: number): Buffer {
  const parts: Uint8Array[] = [];
  let text = head;
  for (let index = from; index < args.length; index++) {
    const argument = args[index] as Argument;
    if (typeof argument === "object") {
      parts.push(Buffer.from(`${text}$${argument.length}\r\n`), argument);
      text = "\r\n";
    } else {
      text += bulk(String(argument));
    }
  }
  parts.push(Buffer.from(text));
  return Buffer.concat(parts);
}
