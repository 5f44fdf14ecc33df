// Remote opening: whether the store is there, in the form that is asked for, and how it is made.
//
// 1. Nothing is written before all partitions have been looked at, and only where one is missing.
// 2. Partition 0 is made first. So of two who make the same store at once with different numbers of
//    partitions, one is refused before it has written anything.

import { ServerAccessError } from "../base/errors.js";
import { type Calls, settleAll } from "./calls.js";
import { LibraryError } from "./connection.js";
import { layoutVersion } from "./library.js";
import { neededRights } from "./needed-rights.js";
import { typedError } from "./remote-errors.js";
import { listIn, textIn } from "./replies.js";

/**
 * @throws ServerUnsuitableError for another layout, InvalidOptionsError for another number of
 * partitions, ServerAccessError when the user may not call what the library calls.
 */
export async function openPartitions(calls: Calls): Promise<void> {
  const { partitions } = calls;
  const missing = await inspectPartitions(calls);
  if (missing.length === 0) return;
  const open = (partition: number): Promise<unknown> =>
    calls.call("open", partition, [layoutVersion, partitions, partition]);
  await open(0);
  await settleAll(missing.filter((partition) => partition > 0).map(open));
}

/** As `openPartitions`, and writes nothing; the partitions that are not there. */
export async function inspectPartitions(calls: Calls): Promise<number[]> {
  const all = Array.from({ length: calls.partitions }, (_, partition) => partition);
  const isThere = await settleAll(all.map((partition) => inspect(calls, partition)));
  return all.filter((partition) => !isThere[partition]);
}

/** Whether the partition is there. */
async function inspect(calls: Calls, partition: number): Promise<boolean> {
  const reply = listIn(await calls.call("inspect", partition, []));
  const [layout = "", partitions = "", ...denied] = reply.map(textIn);
  if (denied.length > 0) {
    const commands = denied.map((command) => command.toLowerCase()).join(", ");
    throw new ServerAccessError(`the server does not let this user call ${commands}`, {
      hint: neededRights,
    });
  }
  if (layout === "") return false;
  const differs =
    layout !== `${layoutVersion}`
      ? `LAYOUT ${layout}`
      : partitions !== `${calls.partitions}` && `PARTITIONS ${partitions}`;
  if (differs) throw typedError(new LibraryError(`ANYKV_${differs}`), {});
  return true;
}
