// What servers answer when they refuse, and what it means for a call.
//
// A refused call has changed nothing: servers look before they run a function. Which refusals pass
// by themselves (a server that loads its data, a slot that moves) is one table, and which typed error
// the others become another.

import {
  type KvError,
  type KvErrorClass,
  ServerAccessError,
  ServerConnectionError,
  ServerRefusedError,
  ServerUnsuitableError,
  UnexpectedStoreOutputError,
} from "../../base/errors.js";
import { neededRights } from "../needed-rights.js";

/** Whether the error is the answer of a server. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** The code in front of an error reply: "OOM", "ERR". */
export function replyCode(error: Error): string {
  return error.message.split(" ", 1)[0] as string;
}

const passing: ReadonlySet<string> = new Set([
  ...["ASK", "TRYAGAIN", "CLUSTERDOWN"],
  ...["LOADING", "BUSY", "MASTERDOWN"],
]);

/** Whether the same call may succeed in a moment. */
export function isPassing(error: Error): boolean {
  return isReplyError(error) ? passing.has(replyCode(error)) : true;
}

export function isFunctionMissing(error: Error): boolean {
  return isReplyError(error) && error.message.startsWith("ERR Function not found");
}

export function isScriptMissing(error: Error): boolean {
  return isReplyError(error) && replyCode(error) === "NOSCRIPT";
}

/** A command is forbidden to the user, or has another name on this server. */
export function isForbidden(error: unknown): error is Error {
  if (!isReplyError(error)) return false;
  return replyCode(error) === "NOPERM" || /^ERR unknown (sub)?command/i.test(error.message);
}

interface Refusal {
  readonly type: KvErrorClass;
  readonly says: string;
  readonly hint: string;
}

const loadingHint = "wait until the server has read its data, or give it a longer `connectTimeout`";
const credentialsHint =
  "correct user and password: those in the URL, or `valkey.username` and `valkey.password` of `openKv`; a username alone is enough only for a user without a password (`nopass`)";

const refusals: Readonly<Record<string, Refusal>> = {
  OOM: {
    type: ServerRefusedError,
    says: "the server is out of memory",
    hint: "raise its `maxmemory`, delete data, or move them to a larger server",
  },
  LOADING: { type: ServerRefusedError, says: "the server is loading its data", hint: loadingHint },
  READONLY: {
    type: ServerRefusedError,
    says: "the server is a read-only replica",
    hint: "connect to its primary",
  },
  MISCONF: {
    type: ServerRefusedError,
    says: "the server cannot save its data and refuses writes",
    hint: "look at the log and the disk of the server",
  },
  NOREPLICAS: {
    type: ServerRefusedError,
    says: "the server has too few replicas and refuses writes",
    hint: "bring its replicas back, or lower its `min-replicas-to-write`",
  },
  BUSY: {
    type: ServerRefusedError,
    says: "the server is busy with a script or function of somebody else",
    hint: "wait until it has ended, or end it with SCRIPT KILL or FUNCTION KILL",
  },
  CLUSTERDOWN: {
    type: ServerRefusedError,
    says: "the cluster is down",
    hint: "look at `CLUSTER INFO`: a slot has no node, or a primary has no replica to take over",
  },
  TRYAGAIN: {
    type: ServerRefusedError,
    says: "a slot of the cluster is moving to another node",
    hint: "call again when the resharding has ended, or give it a longer `commandTimeout`",
  },
  NOAUTH: {
    type: ServerAccessError,
    says: "the server demands a password",
    hint: "give the password, and the user if it is not `default`: in the URL, or as `valkey.password` and `valkey.username` of `openKv`; commands read ANYKV_PASSWORD, `copy` ANYKV_FROM_PASSWORD and ANYKV_TO_PASSWORD",
  },
  WRONGPASS: {
    type: ServerAccessError,
    says: "the server refuses this user or password",
    hint: credentialsHint,
  },
  NOPERM: {
    type: ServerAccessError,
    says: "the server does not let this user do it",
    hint: neededRights,
  },
  DENIED: {
    type: ServerAccessError,
    says: "the server is in protected mode and answers its own machine only",
    hint: "give the server a password or users, and the store the same",
  },
};
const aliases: Readonly<Record<string, string>> = { ASK: "TRYAGAIN", MASTERDOWN: "READONLY" };

const byText: readonly (readonly [RegExp, Refusal])[] = [
  [
    /invalid DB index|DB index is out of range|SELECT is not allowed in cluster/i,
    {
      type: ServerAccessError,
      says: "the server does not have this database",
      hint: "give the number of one that it has, in the URL or as `valkey.database`; `databases` of its configuration tells how many",
    },
  ],
  [
    /invalid password|without any password configured/i,
    {
      type: ServerAccessError,
      says: "the server refuses this user or password",
      hint: credentialsHint,
    },
  ],
  [
    // Inside of a function or script: what Redis says, and what Valkey says.
    /The user executing the script can't|ACL failure in script/i,
    {
      type: ServerAccessError,
      says: "the server does not let this user do what the library does",
      hint: neededRights,
    },
  ],
  [
    /max number of clients/i,
    {
      type: ServerConnectionError,
      says: "the server has as many clients as it takes",
      hint: "raise its `maxclients`, or find out who holds so many connections with CLIENT LIST",
    },
  ],
  [
    /unknown command/i,
    {
      type: ServerUnsuitableError,
      says: "the server does not know a command that the store needs",
      hint: "use Valkey, or Redis from 7.0 on",
    },
  ],
];

/** Where a message begins: "valkey at 127.0.0.1:6379". */
export function serverError(error: Error, at: string): KvError {
  const code = replyCode(error);
  const refusal =
    refusals[aliases[code] ?? code] ?? byText.find(([text]) => text.test(error.message))?.[1];
  const cause = causeOf(error);
  if (refusal === undefined) {
    return new UnexpectedStoreOutputError(`${at}: ${error.message}`, { cause });
  }
  const { type, says, hint } = refusal;
  // The text for NOAUTH is a long one about HELLO, which nobody has called.
  const reply = code === "NOAUTH" ? "" : ` (${error.message})`;
  return new type(`${at}: ${says}${reply}`, { hint, cause });
}

/** The error without the command that it met, which may hold a password. */
export function causeOf(error: Error): Error {
  const bare = new Error(error.message);
  bare.name = error.name;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? bare : Object.assign(bare, { code });
}
