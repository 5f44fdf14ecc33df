// Admission: whether a client may have a command carried out now.

import { authenticationRequired, type Request } from "./request.js";
import type { Session } from "./session.js";

/** Allowed to those who have subscribed to something, who speak RESP2. */
const subscriberCommands: ReadonlySet<string> = new Set([
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "PSUBSCRIBE",
  "PUNSUBSCRIBE",
  "PING",
  "QUIT",
  "RESET",
]);

/** Why not, as an error reply; undefined when it may. */
export function refusalOf(session: Session, request: Request): string | undefined {
  const { name, flags } = request.command;
  const { user, transaction } = session;
  if (user === undefined && !flags.includes("no_auth")) return authenticationRequired;
  if (transaction.isOpen && flags.includes("no_multi")) {
    return "ERR Command not allowed inside a transaction";
  }
  if (user?.readOnly && !isReading(request)) {
    return `NOPERM User ${user.name} has no permissions to run the '${name.toLowerCase()}' command`;
  }
  if (isSubscriber(session) && session.encode.protocol === 2 && !subscriberCommands.has(name)) {
    return (
      `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / ` +
      "(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
    );
  }
  return undefined;
}

function isReading({ command, args, body }: Request): boolean {
  const { flags, changesNothing } = command;
  if (flags.includes("admin") || body.kind === "write" || body.kind === "take") return false;
  return !flags.includes("write") || changesNothing?.(args) === true;
}

export function isSubscriber({ channels, patterns }: Session): boolean {
  return channels.size + patterns.size > 0;
}
