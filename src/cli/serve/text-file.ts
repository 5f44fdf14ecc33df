// Text files that options name: small ones, read at once.

import { readFileSync } from "node:fs";
import { InvalidOptionsError } from "../../base/errors.js";

/** @throws InvalidOptionsError when it cannot be read. */
export function readTextFile(file: string, option: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code = "error" } = cause as NodeJS.ErrnoException;
    throw new InvalidOptionsError(`the file of ${option} cannot be read: ${file} (${code})`, {
      cause,
    });
  }
}
