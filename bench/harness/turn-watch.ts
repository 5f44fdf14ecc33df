// Turn watch: the longest turn of the event loop, as the clock sees it and as this thread does.
//
// On a shared machine a turn also takes the time for which another process had the processor. Linux
// counts that per thread (proc(5), schedstat: time on a processor, time waiting for one, both in ns),
// so it can be left out: `own` is the turn without waiting for a processor, exact; `cpu` is the time
// on a processor, which the system brings up to date with its tick only (about 4 ms).

import { openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

export interface LongestTurn {
  readonly wallMs: number;
  /** As `wallMs` where the system does not tell. */
  readonly ownMs: number;
  readonly cpuMs: number;
}

interface Reading {
  readonly nowMs: number;
  readonly cpuMs: number;
  readonly waitedMs: number;
}

const schedulingFile = "/proc/self/schedstat";

function openScheduling(): number | undefined {
  try {
    return openSync(schedulingFile, "r");
  } catch {
    return undefined;
  }
}

/** Of the main thread. */
export class TurnWatch {
  readonly #scheduling = openScheduling();
  readonly #bytes = Buffer.alloc(128);
  #last = this.#read();
  #longest: LongestTurn = { wallMs: 0, ownMs: 0, cpuMs: 0 };

  get longest(): LongestTurn {
    return this.#longest;
  }

  /** Ends the present turn, and begins to time the next. */
  async turn(): Promise<void> {
    await nextTurn();
    const now = this.#read();
    const wallMs = now.nowMs - this.#last.nowMs;
    const ownMs = wallMs - (now.waitedMs - this.#last.waitedMs);
    const cpuMs = Math.min(wallMs, now.cpuMs - this.#last.cpuMs);
    this.#last = now;
    this.#longest = {
      wallMs: Math.max(wallMs, this.#longest.wallMs),
      ownMs: Math.max(ownMs, this.#longest.ownMs),
      cpuMs: Math.max(cpuMs, this.#longest.cpuMs),
    };
  }

  #read(): Reading {
    if (this.#scheduling === undefined) {
      return { nowMs: performance.now(), cpuMs: performance.now(), waitedMs: 0 };
    }
    const length = readSync(this.#scheduling, this.#bytes, 0, this.#bytes.length, 0);
    const text = this.#bytes.toString("latin1", 0, length);
    const [cpu, waited] = text.split(" ");
    return { nowMs: performance.now(), cpuMs: Number(cpu) / 1e6, waitedMs: Number(waited) / 1e6 };
  }
}
