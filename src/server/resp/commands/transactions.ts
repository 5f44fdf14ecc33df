// Transactions: commands that are carried out together, or not at all if watched keys have changed.

import type { Awaitable } from "../../../engine/engine.js";
import type { Argument } from "../argument.js";
import { CommandError } from "../command.js";
import type { Encoded } from "../encoder.js";
import { keysIn } from "../names.js";
import type { Session } from "../session.js";

export function multi({ encode, transaction }: Session): Encoded {
  transaction.begin();
  return encode.ok;
}

export function exec({ transaction }: Session): Awaitable<Encoded> {
  if (!transaction.isOpen) throw new CommandError("ERR EXEC without MULTI");
  return transaction.execute();
}

export function discard({ encode, transaction }: Session): Encoded {
  if (!transaction.isOpen) throw new CommandError("ERR DISCARD without MULTI");
  transaction.discard();
  return encode.ok;
}

export function watch({ transaction }: Session, args: readonly Argument[]): Awaitable<Encoded> {
  return transaction.watch(keysIn(args));
}

export function unwatch({ encode, transaction }: Session): Encoded {
  transaction.unwatch();
  return encode.ok;
}
