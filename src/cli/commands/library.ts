// What the commands have in common that need the library of a store, and not only calls of it.

import { resolve } from "node:path";
import { InvalidOptionsError, SnapshotNotFoundError } from "../../base/errors.js";
import type { Kv } from "../../kv/kv.js";
import { printJson } from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { type StoreFlags, type TargetUse, withTarget } from "../open-target.js";
import type { Terminal } from "../terminal.js";

/** The library of the store, which a HTTP door is not. */
export function withKv<Result>(
  terminal: Terminal,
  store: string,
  flags: StoreFlags,
  use: TargetUse & { readonly needsLibrary: string },
  work: (kv: Kv) => Promise<Result>,
): Promise<Result> {
  return withTarget(terminal, store, flags, use, ({ kv }) => work(kv as Kv));
}

/** Before a store comes into being that nothing would be put into. */
export async function requireFile({ env }: Terminal, file: string): Promise<void> {
  if ((await env.files.stat(resolve(named(file)))) !== undefined) return;
  throw new SnapshotNotFoundError(`there is no file ${file}`);
}

/** A blank name stands for another file. */
export function named(file: string): string {
  if (file.trim() !== "") return file;
  throw new InvalidOptionsError("FILE is blank");
}

export function printReport(
  terminal: Terminal,
  { json = false }: StoreFlags,
  report: object,
  text: string,
): ExitCode {
  terminal.progress(undefined);
  if (json) printJson(terminal, report);
  else terminal.out(`${text}\n`);
  return exitCodes.fine;
}
