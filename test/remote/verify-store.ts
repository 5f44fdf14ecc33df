// Verifies a store of the suites after each of its lives, and takes it off the server.

import type { Redis } from "iovalkey";
import type { Reply } from "../../src/remote/connection.js";
import { partitionTag } from "../../src/remote/partitions.js";
import { type RunCommand, verifyPartition } from "../../src/remote/verify-partition.js";
import { testPrefix } from "./plain-connection.js";

export function commandsOf(client: Redis): RunCommand {
  return async (...words) => {
    const [command, ...rest] = words.map(String);
    return (await client.callBuffer(`${command}`, ...rest)) as Reply;
  };
}

/** @throws Error that tells everything that is wrong. */
export async function verifyStore(
  client: Redis,
  { store, partitions }: { store: string; partitions: number },
): Promise<void> {
  const run = commandsOf(client);
  const faults: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    faults.push(...(await verifyPartition(run, partitionTag(testPrefix, store, partition))));
  }
  const names = await client.keys(`${testPrefix}:{${store}:*`);
  if (names.length > 0) await client.unlink(...names);
  if (faults.length > 0) throw new Error(`the store is not in order:\n${faults.join("\n")}`);
}
