// Function commands: the rows of FCALL and what belongs to it, over the library of a served store.
//
// What shares a transaction with other commands of a pipeline, or of MULTI, checks first and writes
// afterwards. Other operations have a transaction of their own; in MULTI they come behind the rest.

import { InvalidOptionsError } from "../../base/errors.js";
import type { Awaitable } from "../../engine/engine.js";
import type { Served } from "../../kv/handle.js";
import { formatOf } from "../../kv/serialization/format.js";
import { LibraryError } from "../../remote/connection.js";
import type { Argument } from "../resp/argument.js";
import {
  type Command,
  CommandError,
  type DataBody,
  type ReadBody,
  type SessionBody,
} from "../resp/command.js";
import type { Encoded, Encoder } from "../resp/encoder.js";
import { encodeReply } from "./encode-reply.js";
import { FunctionDoor, loadedName, type ServedName } from "./fcall.js";
import type { ServedStore } from "./function-host.js";
import { FunctionLibrary, type FunctionOptions } from "./function-library.js";
import type { FunctionReply } from "./function-reply.js";

const libraries = new WeakMap<object, FunctionLibrary>();

/**
 * The library of a served store, one for all its doors: they remember the same calls. What it is made
 * with is said by whoever asks first.
 *
 * @throws InvalidOptionsError for a store whose operations are carried out elsewhere.
 */
export function functionLibraryOf(
  { store, shared }: Served,
  options: Pick<FunctionOptions, "tokenBound"> = {},
): FunctionLibrary {
  const known = libraries.get(store);
  if (known !== undefined) return known;
  const { direct } = store;
  if (direct === undefined) {
    throw new InvalidOptionsError(
      `a store with the backend "${store.backend}" has functions on its server`,
      {
        hint: "let clients connect to the server that keeps it",
      },
    );
  }
  const { env, serialization } = shared.options;
  const servedStore: ServedStore = {
    direct,
    capabilities: store.capabilities,
    replace: (source) => store.replace(source),
    allocation: (prefix) => store.allocation(prefix),
  };
  const library = new FunctionLibrary(servedStore, {
    env,
    format: formatOf(serialization),
    // Microseconds: tokens of an earlier life of the server, or of the store, are lower.
    tokenBound: () => env.clock.now() * 1_000,
    ...options,
  });
  libraries.set(store, library);
  return library;
}

/** What the library refuses is an error reply. */
function contained<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw clientError(error);
  }
}

function clientError(error: unknown): unknown {
  return error instanceof LibraryError ? new CommandError(error.message) : error;
}

function replying(run: () => Awaitable<FunctionReply>): SessionBody {
  const encoded = (encode: Encoder, reply: FunctionReply): Encoded => encodeReply(encode, reply);
  return {
    kind: "session",
    run: ({ encode }) => {
      const reply = contained(run);
      if (!(reply instanceof Promise)) return encoded(encode, reply);
      return reply.then(
        (settled) => encoded(encode, settled),
        (error) => {
          throw clientError(error);
        },
      );
    },
  };
}

function bodyOf(
  door: FunctionDoor,
  words: readonly Argument[],
  onlyReads: boolean,
): DataBody | SessionBody {
  const { operation, args, reply } = contained(() => door.read(words, onlyReads));
  if (reply !== undefined) return replying(() => reply);
  const shared = door.library.shared(operation, args);
  if (shared === undefined) return replying(() => door.carryOut(operation, args));
  const { kind, ranked } = shared;
  const run: ReadBody["run"] = (view, _, { encode, pushed }) => {
    const found = contained(() => shared.run(view, pushed));
    return encodeReply(encode, found);
  };
  return kind === "read" ? { kind, ranked, run } : { kind, ranked, run };
}

const syntax = "function numkeys [key [key ...]] [arg [arg ...]]";
const complexity = "that of the operation: see docs/formats/valkey.md";

/** @throws InvalidOptionsError for a store whose operations are carried out elsewhere. */
export function functionCommands(served: Served, name: ServedName): readonly Command[] {
  return functionRows(new FunctionDoor(functionLibraryOf(served), name));
}

/** The rows of the command table. */
export function functionRows(door: FunctionDoor): readonly Command[] {
  const common = { group: "scripting", arity: -3, keys: [0, 0, 0], syntax, complexity } as const;
  return [
    {
      ...common,
      name: "FCALL",
      flags: ["write", "noscript", "stale", "movablekeys"],
      summary: "Carries out an operation of anykv, as the library of functions does on a server.",
      reply: ["any"],
      changesNothing: ([name]) => door.changesNothing(name),
      body: { kind: "chosen", choose: (args) => bodyOf(door, args, false) },
    },
    {
      ...common,
      name: "FCALL_RO",
      flags: ["readonly", "noscript", "stale", "movablekeys"],
      summary: "As FCALL, for operations that change nothing that anybody can observe.",
      reply: ["any"],
      body: { kind: "chosen", choose: (args) => bodyOf(door, args, true) },
    },
    {
      name: "FUNCTION|LOAD",
      group: "scripting",
      arity: -3,
      flags: ["write", "noscript"],
      keys: [0, 0, 0],
      syntax: "[REPLACE] function-code",
      summary: "Succeeds for the library of anykv, whose operations are answered anyway.",
      complexity: "O(1)",
      reply: ["bulk"],
      changesNothing: () => true,
      body: {
        kind: "session",
        run: ({ encode }, args) => encode.bulk(loadedName(args.at(-1) ?? "")),
      },
    },
    {
      name: "FUNCTION|LIST",
      group: "scripting",
      arity: -2,
      flags: ["noscript"],
      keys: [0, 0, 0],
      syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
      summary: "No library is loaded: those that anykv answers need none.",
      complexity: "O(1)",
      reply: ["array"],
      body: { kind: "session", run: ({ encode }) => encode.array([]) },
    },
  ];
}
