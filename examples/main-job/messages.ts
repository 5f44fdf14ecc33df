// Messages between the process that feeds the pool and those in which the users are.

import type { StoreOptions } from "./open-store.js";
import type { Tally } from "./tally.js";

/** What a process of users has to know when it starts: its only argument, as JSON. */
export interface Setup {
  readonly store: StoreOptions;
  /** How many users, and the number of the first. */
  readonly users: number;
  readonly firstUser: number;
}

/** To the users: nothing is loaded any more; even the time to work off the rest is over. */
export type Order = "fed" | "closed";

/** From the users, again and again; `users gone` when all of them are, `gone` last of all. */
export interface Report {
  readonly state: "working" | "users gone" | "gone";
  readonly tally: Tally;
}

/** The file descriptor of its journal in a process of users. */
export const journalFd = 3;
