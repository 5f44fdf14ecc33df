// Unfinished copies: a store that lacks what has not arrived yet looks like any other one.
//
// Whoever opens it is told, by a warning of the process. It is no error: a copy that was given up
// may have left all that is wanted, and a store may be looked at while it is filled.

import { warn } from "../env/warnings.js";
import type { Store } from "../store/store.js";
import type { KvOptions } from "./options/options.js";

const withoutCopies: ReadonlySet<string> = new Set(["memory", "shared"]);

/** Resolves in any case: that the note cannot be read is not the business of who opens the store. */
export async function warnOfUnfinishedCopy(store: Store, options: KvOptions): Promise<void> {
  const { backend, name, path } = options;
  if (withoutCopies.has(backend)) return;
  const note = await readNote(store);
  if (note === undefined) return;
  const what = backend === "valkey" ? `the store ${JSON.stringify(name ?? "")}` : path;
  warn({
    message: `a copy into ${what} has not come to its end: what it lacks is missing`,
    code: "ANYKV_UNFINISHED_COPY",
    detail: `${note}; start the same \`anykv copy\` again`,
  });
}

async function readNote(store: Store): Promise<string | undefined> {
  try {
    return await store.content.note();
  } catch {
    return undefined;
  }
}
