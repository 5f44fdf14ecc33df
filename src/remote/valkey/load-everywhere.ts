// The library on all nodes of a link.

import type { Library } from "../library.js";
import { type LibraryForm, loadLibrary } from "./library-loader.js";
import type { Link } from "./link.js";
import { ask } from "./raw-command.js";

/** Loads the library on every primary that can be reached; one is enough. */
export async function loadEverywhere(
  link: Pick<Link, "primaries">,
  library: Library,
): Promise<LibraryForm> {
  const loads = link
    .primaries()
    .map((node) => loadLibrary((...words) => ask(node, ...words), library));
  const results = await Promise.allSettled(loads);
  const forms = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (forms.length > 0) return forms.includes("scripts") ? "scripts" : "functions";
  const failed = results[0];
  throw failed?.status === "rejected" ? failed.reason : new Error("the cluster has no primary");
}
