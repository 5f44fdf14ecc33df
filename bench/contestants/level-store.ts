// LevelDB, through classic-level: a put resolves when the system has it.

import { ClassicLevel } from "classic-level";
import type { DiskContestant } from "./disk-stores.js";

export const level: DiskContestant = {
  name: "classic-level",
  keeps: true,
  async open(directory) {
    const db = new ClassicLevel<string, unknown>(directory, { valueEncoding: "json" });
    await db.open();
    return {
      get: (key) => db.get(key),
      set: (key, value) => db.put(key, value),
      size: async () => (await db.keys().all()).length,
      close: () => db.close(),
    };
  },
};
