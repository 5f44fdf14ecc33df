// Disk stores: contestants that keep their data in a directory, opened fresh for each sample.

import { rmSync } from "node:fs";
import { expectAnswer } from "../harness/answers.js";
import { freshDirectory } from "../harness/scratch.js";
import { type Account, accountKey } from "./records.js";
import { openMemory, openWal, type PlainStore } from "./stores.js";

export interface DiskStore extends PlainStore {
  size(): Promise<number>;
  close(): Promise<unknown>;
}

export interface DiskContestant {
  readonly name: string;
  open(directory: string): Promise<DiskStore>;
  /** Whether what was written is there after closing and opening again. */
  readonly keeps: boolean;
}

export const memoryContestant: DiskContestant = {
  name: "anykv memory",
  open: async () => openMemory(),
  keeps: false,
};

export function walContestant(name: string, syncWrites: boolean): DiskContestant {
  const open = async (directory: string) => openWal(directory, { syncWrites });
  return { name, open, keeps: true };
}

/** Opens in a directory of its own, which goes when `use` is done. */
export async function inFreshDirectory<Result>(
  parent: string,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = freshDirectory(parent);
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Of so many keys one is compared; all are counted. */
const keysPerCheck = 16;

/** Closes the store; it must hold exactly these accounts, also when it is opened again. */
export async function checkAndClose(
  { name, open, keeps }: DiskContestant,
  directory: string,
  store: DiskStore,
  accounts: readonly Account[],
): Promise<void> {
  if (keeps) await store.close();
  const checked = keeps ? await open(directory) : store;
  expectAnswer(`size of ${name}`, accounts.length, await checked.size());
  for (let id = 0; id < accounts.length; id += keysPerCheck) {
    expectAnswer(`${name}, ${id}`, accounts[id], await checked.get(accountKey(id)));
  }
  const last = accounts.length - 1;
  expectAnswer(`${name}, the last`, accounts[last], await checked.get(accountKey(last)));
  await checked.close();
}
