// The commands on the files of a store: verify and repair.

import { basename } from "node:path";
import type { FileProgress } from "../engines/lmdb/file-report.js";
import { repairLmdb } from "../engines/lmdb/repair.js";
import { verifyLmdb } from "../engines/lmdb/verify.js";
import { repairWal } from "../engines/wal/repair.js";
import { verifyWal } from "../engines/wal/verify.js";
import type { Progress } from "../engines/wal/wal-report.js";
import { checkRows } from "../operations/check.js";
import { mendRows } from "../operations/mend.js";
import { type BackendOfFiles, detectBackend } from "./detect-backend.js";
import { diskText, fileRepairText } from "./disk-text.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import { filesPath } from "./path-argument.js";
import { reportError } from "./report-error.js";
import type { Terminal } from "./terminal.js";
import { repairText, walText } from "./wal-text.js";

export interface VerifyFlags {
  readonly json?: boolean;
}

export interface RepairFlags extends VerifyFlags {
  readonly yes?: boolean;
}

/** What a run has found, for programs and for people. */
interface Outcome {
  readonly report: object;
  readonly text: string;
  readonly isFine: boolean;
  /** Whether rows may be missing that a copy has yet to bring: nothing that a repair mends. */
  readonly isUnfinished?: boolean;
}

function verdictOf({
  problems,
  unfinishedCopy,
}: {
  readonly problems: readonly unknown[];
  readonly unfinishedCopy: string | undefined;
}): Pick<Outcome, "isFine" | "isUnfinished"> {
  return { isFine: problems.length === 0, isUnfinished: unfinishedCopy !== undefined };
}

interface FileCommands {
  verify(terminal: Terminal, path: string): Promise<Outcome>;
  repair(terminal: Terminal, path: string): Promise<Outcome>;
  readonly question: string;
}

const walCommands: FileCommands = {
  async verify(terminal, path) {
    const report = await verifyWal(terminal.env, path, { onProgress: filesOn(terminal) });
    return { report, text: walText(report), ...verdictOf(report) };
  },
  async repair(terminal, path) {
    const options = { mend: mendRows, onProgress: filesOn(terminal) };
    const report = await repairWal(terminal.env, path, options);
    return { report, text: repairText(report), isFine: report.lossless };
  },
  question: "Repair it? Damaged files are moved aside, none is removed.",
};

const diskCommands: FileCommands = {
  async verify(terminal, path) {
    const options = { check: checkRows, onProgress: stepsOn(terminal, path) };
    const report = await verifyLmdb(terminal.env, path, options);
    return { report, text: diskText(report), ...verdictOf(report) };
  },
  async repair(terminal, path) {
    const onProgress = stepsOn(terminal, path);
    const options = { check: checkRows, mend: mendRows, onProgress };
    const report = await repairLmdb(terminal.env, path, options);
    return { report, text: fileRepairText(report), isFine: report.lossless };
  },
  question: "Repair it? A file with damaged pages is replaced, and kept under another name.",
};

const commands: Readonly<Record<BackendOfFiles, FileCommands>> = {
  wal: walCommands,
  disk: diskCommands,
};

function filesOn(terminal: Terminal): (progress: Progress) => void {
  return ({ step, path, filesDone, files }) =>
    terminal.progress(`${step} ${filesDone + 1}/${files} ${basename(path)}`);
}

function stepsOn(terminal: Terminal, path: string): (progress: FileProgress) => void {
  return ({ step, what }) => terminal.progress(`${step} ${basename(path)}: ${what}`);
}

function print(terminal: Terminal, { report, text }: Outcome, json: boolean): void {
  terminal.progress(undefined);
  terminal.out(json ? `${JSON.stringify(report, null, 2)}\n` : text);
}

export async function verifyCommand(
  terminal: Terminal,
  path: string,
  { json = false }: VerifyFlags,
): Promise<ExitCode> {
  try {
    const store = filesPath(path, "verify");
    const backend = commands[await detectBackend(terminal.env, store)];
    const outcome = await backend.verify(terminal, store);
    print(terminal, outcome, json);
    return outcome.isFine && !outcome.isUnfinished ? exitCodes.fine : exitCodes.damaged;
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
    const store = filesPath(path, "repair");
    const backend = commands[await detectBackend(terminal.env, store)];
    if (!yes && !(await isWanted(terminal, store, backend))) return exitCodes.usage;
    const outcome = await backend.repair(terminal, store);
    print(terminal, outcome, json);
    return outcome.isFine ? exitCodes.fine : exitCodes.damaged;
  } catch (error) {
    return reportError(terminal, error, json);
  }
}

/** Shows what is wrong and asks; a store in order needs no leave, because nothing is done to it. */
async function isWanted(terminal: Terminal, path: string, backend: FileCommands): Promise<boolean> {
  const { isFine, text } = await backend.verify(terminal, path);
  terminal.progress(undefined);
  if (isFine) return true;
  terminal.error(text);
  const answer = terminal.confirm(backend.question);
  if (answer === undefined) {
    terminal.error("anykv: nobody can be asked here; nothing was done. Repeat it with --yes.\n");
  }
  return (await answer) === true;
}
