// Scratch directory: where tests that ship with the package keep files. One for each process, made
// when it is first asked for, and removed when the process exits.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let directory: string | undefined;
let files = 0;

function scratchDirectory(): string {
  if (directory === undefined) {
    const made = mkdtempSync(join(tmpdir(), "anykv-testing-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    directory = made;
  }
  return directory;
}

/** A path in there under which nothing lies yet, ending in `name`. */
export function scratchFile(name: string): string {
  return join(scratchDirectory(), `${++files}-${name}`);
}
