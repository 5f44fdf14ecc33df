// Library loader: brings the function library to the nodes that lack it, and never takes a newer one
// away.
//
//   asked for its version   what is done
//   absent                  FUNCTION LOAD, which fails if another client has loaded one meanwhile;
//                           then the version is asked for again
//   lower                   FUNCTION LOAD REPLACE
//   equal or higher         nothing: operations and arguments are only ever added
//
// Two clients that replace the same old library at once may leave the older one of theirs; the other
// then misses a function and loads again. Where functions are forbidden, the same source serves as a
// script, which the first call brings along.

import { ServerUnsuitableError } from "../../base/errors.js";
import { type Library, libraryVersion } from "../library.js";
import { isForbidden, isFunctionMissing, isReplyError } from "./server-errors.js";

/** How operations can be called on a node. */
export type LibraryForm = "functions" | "scripts";

const attemptsMax = 5;

/** Asks one node a command; repeating the command must do no harm. */
export type Ask = (...words: string[]) => Promise<unknown>;

/** @throws the error of the client, ServerUnsuitableError when loading is of no avail. */
export async function loadLibrary(ask: Ask, library: Library): Promise<LibraryForm> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const version = await versionOn(ask, library);
    if (version === "forbidden") return scriptsOn(ask);
    if (version >= libraryVersion) return "functions";
    const replace = version > 0 ? ["REPLACE"] : [];
    try {
      await ask("FUNCTION", "LOAD", ...replace, library.functions);
    } catch (error) {
      if (isForbidden(error)) return scriptsOn(ask);
      if (!isAlreadyThere(error)) throw error;
    }
  }
  throw new ServerUnsuitableError(
    "the function library cannot be loaded: others keep replacing it",
    {
      hint: "look for programs with another version of anykv, or with another library of its name",
    },
  );
}

/** @throws the answer of a server that forbids scripts as well. */
async function scriptsOn(ask: Ask): Promise<LibraryForm> {
  await ask("EVAL", "return 1", "0");
  return "scripts";
}

/** 0 when the library is not there. */
async function versionOn(ask: Ask, { name }: Library): Promise<number | "forbidden"> {
  try {
    return Number(await ask("FCALL", `${name}_version`, "0"));
  } catch (error) {
    if (isForbidden(error)) return "forbidden";
    if (isFunctionMissing(error as Error)) return 0;
    throw error;
  }
}

function isAlreadyThere(error: unknown): boolean {
  return isReplyError(error) && /already exists/.test(error.message);
}
