// Scratch directory: where tests that ship with the package keep files. It is made when it is first
// asked for, and removed when nobody holds it any more. Hooks of the test framework are not asked for,
// and the exit of the process is not relied on: test runners kill their workers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let directory: string | undefined;
let files = 0;
let holders = 0;

/** Keeps the directory until the function that it gives is called. */
export function holdScratch(): () => void {
  holders++;
  return () => {
    if (--holders > 0 || directory === undefined) return;
    rmSync(directory, { recursive: true, force: true });
    directory = undefined;
  };
}

/** A path in there under which nothing lies yet, ending in `name`; for whoever holds it. */
export function scratchFile(name: string): string {
  directory ??= mkdtempSync(join(tmpdir(), "anykv-testing-"));
  return join(directory, `${++files}-${name}`);
}
