// Readers probe: so many processes read a disk store at the same time, and together answer with how
// many keys they read per second. `node build/bench/probes/readers-probe.js DIRECTORY PROCESSES COUNT PASSES`
//
// Every reader opens the store, reads all keys once, says that it is ready and waits for the start;
// the time that counts begins when the last one is ready.

import { fork } from "node:child_process";
import { once } from "node:events";
import { diskStore } from "../contestants/durable-stores.js";
import { accountKey, times } from "../contestants/records.js";
import { answer } from "../harness/processes.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { readAll } from "../workloads/disk-get.js";

const [directory = "", processesText, countText, passesText, role] = process.argv.slice(2);
const count = Number(countText);
const passes = Number(passesText);

async function read(): Promise<void> {
  const store = diskStore(directory);
  const keys = times(count, accountKey);
  await readAll(store, keys);
  process.send?.("ready");
  await once(process, "message");
  for (let pass = 0; pass < passes; pass++) await readAll(store, keys);
  process.send?.("done");
  await store.close();
  process.disconnect();
}

async function lead(): Promise<number> {
  const processes = Number(processesText);
  const readers = times(processes, () =>
    fork(process.argv[1] ?? "", [...process.argv.slice(2, 6), "reader"]),
  );
  const exits = readers.map((reader) => once(reader, "exit"));
  await Promise.all(readers.map((reader) => once(reader, "message")));
  const ms = await elapsedMs(async () => {
    const done = readers.map((reader) => once(reader, "message"));
    for (const reader of readers) reader.send("start");
    await Promise.all(done);
  });
  await Promise.all(exits);
  return rate(processes * passes * count, ms);
}

if (role === "reader") await read();
else await answer(lead);
