// Team: the processes of users, as the process sees them that has started them.
//
// Their journals are files that lose their names at once: nothing is left of them when everybody is
// gone, in whatever way.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Order, Report, Setup } from "./messages.js";
import { addTally, newTally, type Tally } from "./tally.js";

const program = fileURLToPath(new URL("./user-process.js", import.meta.url));

export class Member {
  readonly number: number;
  readonly users: number;
  /** Whoever reads it closes it. */
  readonly journal = openNameless();
  /** As of its last report. */
  tally = newTally();
  /** Resolve then, or when the process has ended. */
  readonly usersGone: Promise<void>;
  readonly ended: Promise<void>;
  /** How the process has ended, unless it has gone home when all was done. */
  failure: string | undefined;
  /** Whether somebody has killed it: that is no fault of its own. */
  isKilled = false;
  readonly #child: ChildProcess;
  #state: Report["state"] = "working";

  constructor(number: number, setup: Setup) {
    this.number = number;
    this.users = setup.users;
    this.#child = fork(program, [JSON.stringify(setup)], {
      stdio: ["ignore", "ignore", "inherit", this.journal, "ipc"],
    });
    this.ended = this.#end();
    const usersGone = new Promise<void>((resolve) => {
      this.#child.on("message", ({ state, tally }: Report) => {
        this.#state = state;
        this.tally = tally;
        if (state !== "working") resolve();
      });
    });
    this.usersGone = Promise.race([usersGone, this.ended]);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  order(order: Order): void {
    // Whoever has ended in this moment has no use for it.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** Sends it away, whatever it is doing. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #end(): Promise<void> {
    try {
      // The last message may come after the exit, but not after the disconnection.
      const ends = [once(this.#child, "exit"), once(this.#child, "disconnect")];
      const [[exitCode, signal] = []] = await Promise.all(ends);
      if (this.#state === "gone") return;
      this.isKilled = signal !== null;
      this.failure = this.isKilled ? `was killed by ${signal}` : `ended with exit code ${exitCode}`;
    } catch (error) {
      this.failure = `could not be started: ${String(error)}`;
    }
  }
}

export class Team {
  readonly members: readonly Member[];

  /** Shares the users out among so many processes. */
  constructor(processes: number, setup: Omit<Setup, "firstUser">) {
    const borders = Array.from({ length: processes + 1 }, (_, index) =>
      Math.round((setup.users * index) / processes),
    );
    this.members = borders.slice(1).map((end, index) => {
      const start = borders[index] ?? 0;
      return new Member(index + 1, { ...setup, users: end - start, firstUser: start + 1 });
    });
  }

  get failed(): Member[] {
    return this.members.filter(({ failure }) => failure !== undefined);
  }

  order(order: Order): void {
    for (const member of this.members) member.order(order);
  }

  dismiss(): void {
    for (const member of this.members) member.dismiss();
  }

  tally(): Tally {
    const sum = newTally();
    for (const { tally } of this.members) addTally(sum, tally);
    return sum;
  }

  async usersGone(): Promise<void> {
    await Promise.all(this.members.map(({ usersGone }) => usersGone));
  }

  async ended(): Promise<void> {
    await Promise.all(this.members.map(({ ended }) => ended));
  }
}

/** A new file for reading and appending, which is in no directory. */
function openNameless(): number {
  const directory = mkdtempSync(join(tmpdir(), "anykv-main-job-"));
  try {
    return openSync(join(directory, "journal"), "a+");
  } finally {
    rmSync(directory, { recursive: true });
  }
}
