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
export function refusalOf(session: Session, { command, body }: Request): string | undefined {
  const { name, flags } = command;
  const { user, transaction } = session;
  if (user === undefined && !flags.includes("no_auth")) return authenticationRequired;
  if (transaction.isOpen && flags.includes("no_multi")) {
    return "ERR Command not allowed inside a transaction";
  }
  if (user?.readOnly && (flags.includes("write") || flags.includes("admin") || isWriting(body))) {
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

function isWriting({ kind }: Request["body"]): boolean {
  return kind === "write" || kind === "take";
}

export function isSubscriber({ channels, patterns }: Session): boolean {
  return channels.size + patterns.size > 0;
}
