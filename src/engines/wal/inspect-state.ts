// State inspection: the blocks of a state that check out, and what does not.

import type { Env } from "../../env/env.js";
import { ChangeDecoder, MalformedChanges } from "./change-codec.js";
import { fileHeaderBytes } from "./file-header.js";
import { FileWindow } from "./file-window.js";
import { ChangeCounter, RowCounter } from "./row-counters.js";
import { stateHeader } from "./state-format.js";
import { inferOrigin, type StatePart, scanState } from "./state-scan.js";
import type { SurveyedFile } from "./survey.js";

export interface Unreadable {
  readonly offset: number;
  readonly bytes: number;
  readonly what: string;
}

export interface StateFindings {
  /** Records after this one have to be replayed; by header or name. */
  readonly replay: number;
  /** The last record that may be contained; undefined when the footer is unreadable. */
  readonly until: number | undefined;
  /** Rows that were read. */
  readonly rows: number;
  /** Rows that there should be; undefined when the footer is unreadable. */
  readonly rowsWritten: number | undefined;
  /** Whether every row was read, whatever else is wrong, and `replay` is beyond doubt. */
  readonly isComplete: boolean;
  readonly unreadable: readonly Unreadable[];
}

/** Told of the rows of each block that checks out. */
export type BlockVisitor = (raw: Buffer) => void;

/**
 * Reads a state. `stores` are those whose blocks are looked for when the header is unreadable.
 * O(bytes), in memory as large as the largest block.
 */
export async function inspectState(
  env: Env,
  file: SurveyedFile,
  stores: readonly Uint8Array[],
  visit: BlockVisitor = () => {},
): Promise<StateFindings> {
  const handle = await env.files.open(file.path, "read");
  try {
    const window = new FileWindow(handle, file.sizeBytes);
    const run = new Inspection(file.header?.number ?? file.named, visit);
    const origin = file.header?.origin ?? (await originOf(window, file.named, stores));
    if (file.header === undefined) {
      run.fault(0, Math.min(fileHeaderBytes, file.sizeBytes), "unreadable state header");
    }
    if (origin === undefined) {
      run.fault(fileHeaderBytes, window.sizeBytes - fileHeaderBytes, "no readable block");
    } else {
      for await (const part of scanState(window, fileHeaderBytes, origin)) {
        run.part(part);
        await env.timers.breathe();
      }
    }
    run.end(window.sizeBytes, file.header !== undefined || stores.length > 0);
    return run;
  } finally {
    await handle.close();
  }
}

async function originOf(
  file: FileWindow,
  replay: number,
  stores: readonly Uint8Array[],
): Promise<number | undefined> {
  const inferred = await inferOrigin(file, fileHeaderBytes);
  if (stores.length === 0) return inferred;
  return stores
    .map((store) => stateHeader.origin(replay, store))
    .find((origin) => origin === inferred);
}

class Inspection implements StateFindings {
  readonly replay: number;
  readonly unreadable: Unreadable[] = [];
  until: number | undefined;
  rowsWritten: number | undefined;
  rows = 0;
  isComplete = false;
  readonly #visit: BlockVisitor;
  #blocks = 0;
  #blocksWritten: number | undefined;

  constructor(replay: number, visit: BlockVisitor) {
    this.replay = replay;
    this.#visit = visit;
  }

  fault(offset: number, bytes: number, what: string): void {
    this.unreadable.push({ offset, bytes: Math.max(0, bytes), what });
  }

  part(part: StatePart): void {
    const bytes = part.end - part.offset;
    if (this.#blocksWritten !== undefined) {
      this.fault(part.offset, bytes, "bytes after the end of the state");
    } else if (part.kind === "unreadable") {
      this.fault(part.offset, bytes, part.what);
    } else if (part.kind === "footer") {
      this.until = part.footer.until;
      this.rowsWritten = part.footer.rows;
      this.#blocksWritten = part.footer.blocks;
    } else {
      this.#block(part.offset, bytes, part.raw);
    }
  }

  #block(offset: number, bytes: number, raw: Buffer): void {
    const counter = new RowCounter(new ChangeCounter());
    try {
      new ChangeDecoder(raw).decode(0, raw.length, counter);
    } catch (error) {
      if (!(error instanceof MalformedChanges)) throw error;
      this.fault(offset, bytes, error.message);
      return;
    }
    this.rows += counter.rows;
    this.#blocks++;
    this.#visit(raw);
  }

  /** `isOurs`: whether the places of the blocks have proven the header, if nothing else did. */
  end(sizeBytes: number, isOurs: boolean): void {
    const hasBlocks = this.#blocksWritten === this.#blocks;
    const hasRows = this.rowsWritten === this.rows;
    this.isComplete = isOurs && hasBlocks && hasRows;
    if (this.#blocksWritten === undefined) this.fault(sizeBytes, 0, "missing state footer");
    else if (this.unreadable.length > 0) return;
    else if (!hasBlocks) this.fault(sizeBytes, 0, "missing blocks");
    else if (!hasRows) this.fault(sizeBytes, 0, "missing rows");
  }
}
