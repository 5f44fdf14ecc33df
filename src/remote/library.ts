// Library: the operations of a store in Lua, put together from the files of `library/`.
//
// The same source serves in two forms: as a function library, one function for each operation, and
// as one script whose first argument names the operation, for servers that forbid functions. Either
// comes with the clock of the server or, under another name, with one that tests move.
//
// Versions: the name has a digest of the source in it, so that libraries of several versions of anykv
// lie side by side in a server, and each client uses its own. What they have in common is the layout.

import { sha1Of } from "../base/encodings.js";
import { librarySource } from "./library-source.js";
import { flagsOf, type OperationKind, operations } from "./operation-table.js";

/** Of the keys and values on the server: docs/formats/valkey.md. */
export const layoutVersion = 1;

// Each file may use those before it.
const files = [
  ..."place clock pages live guard values counter atomics expiry queries claims".split(" "),
  ..."lists members upkeep opening dump load pieces once enter".split(" "),
];

const digestDigits = 10;

export type LibraryClock = "server" | "test";

export interface Library {
  /** `anykv_<digest>`; functions are called `<name>_<operation>`. */
  readonly name: string;
  /** Of the source: what the operation `version` answers. */
  readonly digest: string;
  /** For `FUNCTION LOAD`. */
  readonly functions: string;
  /** For `EVALSHA`, with the operation before its arguments. */
  readonly script: string;
  readonly scriptSha1: string;
}

/** While a library is being loaded, Lua has hardly more than assignments. */
function functionsEnd(name: string): string {
  const registrations = operations.map(([operation, kind]) => {
    const flags = flagsOf(kind).map((flag) => `"${flag}"`);
    return `redis.register_function({
  function_name = "${name}_${operation}",
  callback = function(keys, args) return enter("${operation}", keys, args) end,
  flags = { ${flags.join(", ")} },
})`;
  });
  return `redis.register_function({
  function_name = "${name}_version",
  callback = function() return digest end,
  flags = { "no-writes", "allow-stale" },
})
${registrations.join("\n")}
`;
}

const scriptEnd = `
local operation = ARGV[1]
if operation == "version" then return digest end
if not operations[operation] then fail("UNKNOWN_OPERATION", operation) end
return enter(operation, KEYS, from(ARGV, 2))
`;

const libraries = new Map<LibraryClock, Library>();

/** Reads the files at the first call. */
export function libraryWith(clock: LibraryClock): Library {
  const known = libraries.get(clock);
  if (known !== undefined) return known;
  const sources = files.map((file) => sourceOf(file, clock));
  const body = [...operationTables(), commandTable(sources), ...sources].join("\n");
  // With the flags, which the body does not show.
  const digest = sha1Of(body + functionsEnd("") + scriptEnd).slice(0, digestDigits);
  const name = `${clock === "server" ? "anykv" : "anykvtest"}_${digest}`;
  const whole = `local digest = "${digest}"\n${body}\n`;
  const script = whole + scriptEnd;
  const library: Library = {
    name,
    digest,
    functions: `#!lua name=${name}\n${whole}${functionsEnd(name)}`,
    script,
    scriptSha1: sha1Of(script),
  };
  libraries.set(clock, library);
  return library;
}

/**
 * What the library knows of its operations: which change the content, which of them make room, and
 * which need a partition that is there.
 */
function operationTables(): string[] {
  const table = (name: string, kinds: readonly OperationKind[], others: string[] = []): string => {
    const listed = operations.filter(
      ([operation, kind]) => kinds.includes(kind) && !others.includes(operation),
    );
    return `local ${name} = { ${listed.map(([operation]) => `${operation} = true`).join(", ")} }`;
  };
  return [
    table("counted", ["write", "free"]),
    table("freeing", ["free"]),
    // Those of `once` look for themselves: for a client that is not known, that comes first.
    table("founded", ["write", "free", "quiet"], ["open", "once", "once_free"]),
  ];
}

/** All words that may be names of commands; the server knows which are. */
function commandTable(sources: readonly string[]): string {
  const words = sources.flatMap((source) => source.match(/"[A-Z]{3,}"/g) ?? []);
  return `local commands = { ${[...new Set(words)].sort().join(", ")} }`;
}

function sourceOf(file: string, clock: LibraryClock): string {
  const name = file === "clock" && clock === "test" ? "test-clock" : file;
  return librarySource(name);
}
