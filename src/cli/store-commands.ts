// The commands on the files of a store: verify and repair.

import { basename, resolve } from "node:path";
import { repairWal } from "../engines/wal/repair.js";
import { verifyWal } from "../engines/wal/verify.js";
import type { Progress, RepairReport } from "../engines/wal/wal-report.js";
import { mendRows } from "../operations/mend.js";
import { detectBackend } from "./detect-backend.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import { reportError } from "./report-error.js";
import type { Terminal } from "./terminal.js";
import { repairText, walText } from "./wal-text.js";

export interface VerifyFlags {
  readonly json?: boolean;
}

export interface RepairFlags extends VerifyFlags {
  readonly yes?: boolean;
}

function jsonText(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function progressOn(terminal: Terminal): (progress: Progress) => void {
  return ({ step, path, filesDone, files }) =>
    terminal.progress(`${step} ${filesDone + 1}/${files} ${basename(path)}`);
}

export async function verifyCommand(
  terminal: Terminal,
  path: string,
  { json = false }: VerifyFlags,
): Promise<ExitCode> {
  try {
    const store = resolve(path);
    await detectBackend(terminal.env, store);
    const report = await verifyWal(terminal.env, store, { onProgress: progressOn(terminal) });
    terminal.progress(undefined);
    terminal.out(json ? jsonText(report) : walText(report));
    return report.problems.length === 0 ? exitCodes.fine : exitCodes.damaged;
  } catch (error) {
    return reportError(terminal, error, json);
  }
}

export async function repairCommand(
  terminal: Terminal,
  path: string,
  { json = false, yes = false }: RepairFlags,
): Promise<ExitCode> {
  try {
    const store = resolve(path);
    await detectBackend(terminal.env, store);
    if (!yes && !(await isWanted(terminal, store))) return exitCodes.usage;
    const options = { mend: mendRows, onProgress: progressOn(terminal) };
    const report = await repairWal(terminal.env, store, options);
    terminal.progress(undefined);
    terminal.out(json ? jsonText(report) : repairText(report));
    return codeOf(report);
  } catch (error) {
    return reportError(terminal, error, json);
  }
}

function codeOf({ lossless }: RepairReport): ExitCode {
  return lossless ? exitCodes.fine : exitCodes.damaged;
}

/** Shows what is wrong and asks; a store in order needs no leave, because nothing is done to it. */
async function isWanted(terminal: Terminal, path: string): Promise<boolean> {
  const report = await verifyWal(terminal.env, path, { onProgress: progressOn(terminal) });
  terminal.progress(undefined);
  if (report.problems.length === 0) return true;
  terminal.error(walText(report));
  const answer = terminal.confirm("Repair it? Damaged files are moved aside, none is removed.");
  if (answer === undefined) {
    terminal.error("anykv: nobody can be asked here; nothing was done. Repeat it with --yes.\n");
  }
  return (await answer) === true;
}
