// Opening of the layout: whether a file is a store, a new one, a damaged one, or something else.

import { DiskStoreOpenError } from "../../base/errors.js";
import { foreignFile, lacksTables } from "./file-errors.js";
import { openMeta } from "./file-tables.js";
import { isMostOfAStore, layoutKey, layoutText, metaName, missingDatabases } from "./layout.js";
import type { NativeRoot, NativeTable } from "./lmdb-module.js";

/** The database `meta`; made for a file that is new. A file of something else stays as it is. */
export function openLayout(root: NativeRoot, path: string, readOnly: boolean): NativeTable {
  const names = databasesOf(root);
  const missing = missingDatabases(names);
  if (!names.includes(metaName)) {
    if (isMostOfAStore(missing)) throw lacksTables(path, missing);
    if (!readOnly && names.length > 0) throw foreignFile(path);
  }
  const meta = openMeta(root);
  if (names.length === 0) meta.putSync(layoutKey, layoutText);
  else {
    checkLayout(meta, path);
    if (missing.length > 0) throw lacksTables(path, missing);
  }
  return meta;
}

function checkLayout(meta: NativeTable, path: string): void {
  const found = meta.getString(layoutKey);
  if (found === layoutText) return;
  if (found === undefined) throw foreignFile(path);
  throw new DiskStoreOpenError(`${path} has the layout "${found}", this is "${layoutText}"`, {
    hint: "open it with the version of anykv that wrote it",
  });
}

function databasesOf(root: NativeRoot): readonly string[] {
  // lmdb ends names with a zero byte.
  return Array.from(root.getKeys({ start: undefined }), (name) => String(name).replace(/\0$/, ""));
}
