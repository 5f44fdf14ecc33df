// The command copy: a whole store to another place, of whatever backend.

import { CopyTargetError, type ErrorName, InvalidOptionsError, isKvError } from "../base/errors.js";
import { copyStore } from "../transfer/copy.js";
import type {
  CopyEnd,
  CopyMode,
  StoreCopyProgress,
  StoreCopySummary,
} from "../transfer/copy-types.js";
import { isEmptyContent } from "../transfer/piece-pages.js";
import { openEnd, type Place, sourcePlace, targetPlace } from "./copy-ends.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import { reportError } from "./report-error.js";
import type { Terminal } from "./terminal.js";
import { count } from "./text.js";

export interface CopyFlags {
  readonly json?: boolean;
  readonly replace?: boolean;
  readonly merge?: boolean;
  /** What a path becomes where there is nothing yet. */
  readonly backend?: string;
}

/** What may end a copy on its way and be over when it is started again. */
const resumable: ReadonlySet<ErrorName> = new Set([
  "OperationCanceledError",
  "ServerConnectionError",
  "ServerRefusedError",
  "OutcomeUnknownError",
  "DiskStoreWriteError",
]);

export async function copyCommand(
  terminal: Terminal,
  fromText: string,
  toText: string,
  flags: CopyFlags,
): Promise<ExitCode> {
  const { json = false } = flags;
  let isUnderWay = false;
  try {
    const mode = modeOf(flags);
    const from = await sourcePlace(terminal.env, fromText);
    const to = await targetPlace(terminal.env, toText, flags.backend);
    if (from.identity === to.identity) {
      throw new CopyTargetError(`${to.address} is the source and the target of the copy`);
    }
    const signal = terminal.interruption();
    const summary = await withEnds(from, to, (ends) => {
      isUnderWay = true;
      return copyStore(
        { env: terminal.env, signal, onProgress: tell(terminal) },
        { ...ends, mode },
      );
    });
    terminal.progress(undefined);
    const report = { from: from.address, to: to.address, mode, ...summary };
    terminal.out(json ? `${JSON.stringify(report, null, 2)}\n` : copyText(report));
    return exitCodes.fine;
  } catch (error) {
    const code = reportError(terminal, error, json);
    if (isUnderWay && isKvError(error) && resumable.has(error.name)) {
      terminal.error("  what has arrived stays in TO; the same command goes on from there\n");
    }
    return code;
  }
}

function modeOf({ replace = false, merge = false }: CopyFlags): CopyMode {
  if (replace && merge) {
    throw new InvalidOptionsError("--replace and --merge say different things: give one of them");
  }
  if (replace) return "replace";
  return merge ? "merge" : "fill";
}

async function withEnds<Result>(
  from: Place,
  to: Place,
  work: (ends: { from: CopyEnd; to: CopyEnd }) => Promise<Result>,
): Promise<Result> {
  const source = await openEnd(from, false);
  try {
    if (from.isServer) await refuseNothing(source);
    const target = await openEnd(to, true);
    // A write that fails while the target closes must be told of.
    return await closing(target, () => work({ from: source, to: target }));
  } finally {
    await source.store.close();
  }
}

async function closing<Result>({ store }: CopyEnd, work: () => Promise<Result>): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await store.close().catch(() => {});
    throw error;
  }
  await store.close();
  return result;
}

/** Before the target comes into being. */
async function refuseNothing({ address, store }: CopyEnd): Promise<void> {
  if (!(await isEmptyContent(store.content))) return;
  throw new CopyTargetError(`${address} holds nothing`, {
    hint: "check `name`, `prefix` and the database of FROM",
  });
}

function tell(terminal: Terminal): (progress: StoreCopyProgress) => void {
  return ({ phase, rows, totalRows }) => {
    const shown = Math.min(rows, totalRows).toLocaleString("en");
    terminal.progress(`${phase} ${shown}/${totalRows.toLocaleString("en")}`);
  };
}

interface CopyReport extends StoreCopySummary {
  readonly from: string;
  readonly to: string;
  readonly mode: CopyMode;
}

function copyText(report: CopyReport): string {
  const { from, to, mode, resumed, written, kept, removed, tables } = report;
  const { values, arrays, filters } = tables;
  const done = [`${count(written, "row")} written`];
  if (resumed || kept > 0) done.push(`${count(kept, "row")} there already`);
  if (mode === "replace") done.push(`${count(removed, "row")} removed`);
  return [
    `${from} -> ${to}: ${done.join(", ")}`,
    `  values: ${count(values.rows, "row")}, checksum ${values.checksum}`,
    `  arrays: ${count(arrays.rows, "element")}, checksum ${arrays.checksum}`,
    `  filters: ${count(filters.rows, "item")}, checksum ${filters.checksum}`,
    mode === "merge"
      ? "All that the source holds is in the target; both were read again."
      : "Source and target are equal; both were read again.",
    "",
  ].join("\n");
}
