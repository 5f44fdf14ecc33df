// Library: the operations of a store in Lua, put together from the files of `library/`.
//
// The same source serves in two forms: as a function library, one function for each operation, and
// as one script whose first argument names the operation, for servers that forbid functions. Either
// comes with the clock of the server or, under another name, with one that tests move.
//
// Versions: arguments and operations are only ever added, so a client can use a library that is newer
// than its own. `libraryVersion` rises with every change of the files.

import { sha1Of } from "../base/encodings.js";
import { librarySource } from "./library-source.js";
import { flagsOf, operations } from "./operation-table.js";

/** Rises with every change of `library/`, or a server keeps what it has. */
export const libraryVersion = 1;
/** Of the keys and values on the server: docs/formats/valkey.md. */
export const layoutVersion = 1;

// Each file may use those before it.
const files = [
  ..."place clock live guard values counter atomics expiry queries claims".split(" "),
  ..."lists members upkeep dump load pieces once enter".split(" "),
];

export type LibraryClock = "server" | "test";

export interface Library {
  /** Of the library; functions are called `<name>_<operation>`. */
  readonly name: string;
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
  callback = function() return ${libraryVersion} end,
  flags = { "no-writes", "allow-stale" },
})
${registrations.join("\n")}
`;
}

const scriptEnd = `
local operation = ARGV[1]
if operation == "version" then return ${libraryVersion} end
if not operations[operation] then fail("UNKNOWN_OPERATION", operation) end
return enter(operation, KEYS, from(ARGV, 2))
`;

const libraries = new Map<LibraryClock, Library>();

/** Reads the files at the first call. */
export function libraryWith(clock: LibraryClock): Library {
  const known = libraries.get(clock);
  if (known !== undefined) return known;
  const name = clock === "server" ? "anykv" : "anykvtest";
  const body = [countedTable(), ...files.map((file) => sourceOf(file, clock))].join("\n");
  const script = `${body}\n${scriptEnd}`;
  const library: Library = {
    name,
    functions: `#!lua name=${name}\n${body}\n${functionsEnd(name)}`,
    script,
    scriptSha1: sha1Of(script),
  };
  libraries.set(clock, library);
  return library;
}

function countedTable(): string {
  const counted = operations.filter(([, kind]) => kind === "write" || kind === "free");
  return `local counted = { ${counted.map(([operation]) => `${operation} = true`).join(", ")} }`;
}

function sourceOf(file: string, clock: LibraryClock): string {
  const name = file === "clock" && clock === "test" ? "test-clock" : file;
  return librarySource(name);
}
