// Append loops: what a durable write costs without a store. Each write of so many bytes goes to the
// end of a file and is synced before the next. Once with calls that block the thread, and once as a
// program has to do it whose other work must go on: through the thread pool, with two awaits.

import { closeSync, fdatasyncSync, openSync, statSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expectAnswer } from "../harness/answers.js";
import { elapsedMs } from "../harness/stopwatch.js";

export interface AppendLoop {
  readonly name: string;
  /** Appends `writes` times; how long that takes, in milliseconds. */
  run(directory: string, bytes: Uint8Array, writes: number): Promise<number>;
}

export const blockingLoop: AppendLoop = {
  name: "append + fdatasync, blocking",
  async run(directory, bytes, writes) {
    const path = join(directory, "appended");
    const file = openSync(path, "ax");
    const ms = await elapsedMs(async () => {
      for (let left = writes; left > 0; left--) {
        writeSync(file, bytes);
        fdatasyncSync(file);
      }
    });
    closeSync(file);
    expectAnswer("appended bytes", writes * bytes.length, statSync(path).size);
    return ms;
  },
};

export const awaitedLoop: AppendLoop = {
  name: "append + fdatasync, awaited",
  async run(directory, bytes, writes) {
    const path = join(directory, "appended");
    const file = await open(path, "ax");
    const ms = await elapsedMs(async () => {
      for (let left = writes; left > 0; left--) {
        await file.write(bytes);
        await file.datasync();
      }
    });
    await file.close();
    expectAnswer("appended bytes", writes * bytes.length, statSync(path).size);
    return ms;
  },
};
