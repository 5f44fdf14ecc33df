// Library loader: brings the function library to a node that lacks it.
//
// The name of a library stands for its content, so whatever is there under that name is right, and
// libraries of other versions of anykv are left alone: their clients use them. Two clients that load
// the same one at once do no harm. Where functions are forbidden, the same source serves as a script,
// which the first call brings along.

import { ServerUnsuitableError } from "../../base/errors.js";
import type { Library } from "../library.js";
import { isForbidden, isFunctionMissing, isReplyError } from "./server-errors.js";

/** How operations can be called on a node. */
export type LibraryForm = "functions" | "scripts";

/** Asks one node a command; repeating the command must do no harm. */
export type Ask = (...words: string[]) => Promise<unknown>;

/** @throws the error of the client, ServerUnsuitableError when loading is of no avail. */
export async function loadLibrary(ask: Ask, library: Library): Promise<LibraryForm> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const found = await lookFor(ask, library);
    if (found === "there") return "functions";
    if (found === "forbidden") return scriptsOn(ask);
    try {
      await ask("FUNCTION", "LOAD", library.functions);
      return "functions";
    } catch (error) {
      if (isForbidden(error)) return scriptsOn(ask);
      if (!isAlreadyThere(error)) throw error;
    }
  }
  throw new ServerUnsuitableError(
    `the server has functions of somebody else under the name of the library, ${library.name}`,
    { hint: "look for them with FUNCTION LIST" },
  );
}

/** @throws the answer of a server that forbids scripts as well. */
async function scriptsOn(ask: Ask): Promise<LibraryForm> {
  await ask("EVAL", "return 1", "0");
  return "scripts";
}

async function lookFor(ask: Ask, { name }: Library): Promise<"there" | "missing" | "forbidden"> {
  try {
    await ask("FCALL", `${name}_version`, "0");
    return "there";
  } catch (error) {
    if (isForbidden(error)) return "forbidden";
    if (isFunctionMissing(error as Error)) return "missing";
    throw error;
  }
}

function isAlreadyThere(error: unknown): boolean {
  return isReplyError(error) && /already exists/.test(error.message);
}
