// Library loader: brings the function library to the nodes that lack it.
//
// The name of a library stands for its content, so whatever is there under that name is right, and
// libraries of other versions of anykv are left alone: their clients use them. Two clients that load
// the same one at once do no harm. Where functions are forbidden, the same source serves as a script,
// which the first call brings along.

import { ServerUnsuitableError } from "../../base/errors.js";
import type { Library } from "../library.js";
import type { Link } from "./link.js";
import { ask } from "./raw-command.js";
import { isForbidden, isFunctionMissing, isReplyError } from "./server-errors.js";
import type { NodeClient } from "./valkey-client.js";

/** How operations can be called on a node. */
export type LibraryForm = "functions" | "scripts";

/** @throws the error of the client, ServerUnsuitableError when loading is of no avail. */
export async function loadLibrary(node: NodeClient, library: Library): Promise<LibraryForm> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const found = await lookFor(node, library);
    if (found === "there") return "functions";
    if (found === "forbidden") return scriptsOn(node);
    try {
      await ask(node, "FUNCTION", "LOAD", library.functions);
      return "functions";
    } catch (error) {
      if (isForbidden(error)) return scriptsOn(node);
      if (!isAlreadyThere(error)) throw error;
    }
  }
  throw new ServerUnsuitableError(
    `the server has functions of somebody else under the name of the library, ${library.name}`,
    { hint: "look for them with FUNCTION LIST" },
  );
}

/** Loads the library on every primary that can be reached; one is enough. */
export async function loadEverywhere(
  link: Pick<Link, "primaries">,
  library: Library,
): Promise<LibraryForm> {
  const loads = link.primaries().map((node) => loadLibrary(node, library));
  const results = await Promise.allSettled(loads);
  const forms = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (forms.length > 0) return forms.includes("scripts") ? "scripts" : "functions";
  const failed = results[0];
  throw failed?.status === "rejected" ? failed.reason : new Error("the cluster has no primary");
}

/** @throws the answer of a server that forbids scripts as well. */
async function scriptsOn(node: NodeClient): Promise<LibraryForm> {
  await ask(node, "EVAL", "return 1", "0");
  return "scripts";
}

async function lookFor(
  node: NodeClient,
  { name }: Library,
): Promise<"there" | "missing" | "forbidden"> {
  try {
    await ask(node, "FCALL", `${name}_version`, "0");
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
