// Options: words among arguments, in capitals whatever the client wrote.

import type { Argument } from "../argument.js";

export function wordAt(args: readonly Argument[], at: number): string {
  const word = args[at];
  return typeof word === "string" ? word.toUpperCase() : "";
}
