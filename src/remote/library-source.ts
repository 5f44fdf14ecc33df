// Library source: the files of `library/`, which lie beside this one in the package.
//
// Where there is no file system, a bundle holds what library.ts makes of them.

import { readFileSync } from "node:fs";

/** @throws the error of the file system. */
export function librarySource(file: string): string {
  return readFileSync(new URL(`./library/${file}.lua`, import.meta.url), "utf8");
}
