// Client: what a server knows of its connections.

import { isSubscriber } from "../admission.js";
import type { Argument } from "../argument.js";
import { CommandError } from "../command.js";
import type { Encoded } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { integer } from "../numbers.js";
import type { Session } from "../session.js";
import { wordAt } from "./options.js";

/** Printable ASCII without blanks. */
const plainText = /^[!-~]*$/;

function plain(argument: Argument, what: string): string {
  if (typeof argument === "string" && plainText.test(argument)) return argument;
  throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`);
}

/** @throws CommandError */
export function nameOf(argument: Argument): string {
  return plain(argument, "Client names");
}

export function id({ encode, id: own }: Session): Encoded {
  return encode.integer(own);
}

export function getName({ encode, name }: Session): Encoded {
  return name === "" ? encode.nil : encode.bulk(name);
}

export function setName(session: Session, args: readonly Argument[]): Encoded {
  session.name = nameOf(args[0] as Argument);
  return session.encode.ok;
}

export function setInfo(session: Session, args: readonly Argument[]): Encoded {
  const [option, value] = args as [Argument, Argument];
  switch (wordAt(args, 0)) {
    case "LIB-NAME":
      session.libraryName = plain(value, "lib-name");
      return session.encode.ok;
    case "LIB-VER":
      session.libraryVersion = plain(value, "lib-ver");
      return session.encode.ok;
    default:
      throw new CommandError(`ERR Unrecognized option '${String(option)}'`);
  }
}

function described(session: Session): string {
  const { transaction, channels, patterns, encode } = session;
  const now = session.server.facts.now();
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    name: session.name,
    age: Math.max(0, Math.floor((now - session.since) / 1000)),
    idle: Math.floor(session.idleMs / 1000),
    flags: flagsOf(session),
    db: 0,
    sub: channels.size,
    psub: patterns.size,
    multi: transaction.isOpen ? transaction.queued : -1,
    watch: transaction.watched,
    qbuf: session.pendingInputBytes,
    omem: session.pendingOutputBytes,
    cmd: session.lastCommand,
    user: session.user?.name ?? "(none)",
    redir: -1,
    resp: encode.protocol,
    "lib-name": session.libraryName,
    "lib-ver": session.libraryVersion,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function flagsOf(session: Session): string {
  const flags =
    (isSubscriber(session) ? "P" : "") +
    (session.transaction.isOpen ? "x" : "") +
    (session.isBlocked ? "b" : "");
  return flags === "" ? "N" : flags;
}

export function info(session: Session): Encoded {
  return session.encode.verbatim(`${described(session)}\n`);
}

export function list({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const chosen = listed([...server.sessions.values()], args);
  return encode.verbatim(chosen.map((session) => `${described(session)}\n`).join(""));
}

function listed(sessions: readonly Session[], args: readonly Argument[]): readonly Session[] {
  if (args.length === 0) return sessions;
  if (wordAt(args, 0) === "TYPE" && args.length === 2) {
    const isOfType = typeFilter(args[1] as Argument);
    return sessions.filter(isOfType);
  }
  if (wordAt(args, 0) === "ID" && args.length > 1) {
    const ids = new Set(args.slice(1).map(idOf));
    return sessions.filter((session) => ids.has(session.id));
  }
  throw syntaxError();
}

function idOf(argument: Argument): number {
  const wanted = Number(argument);
  if (Number.isSafeInteger(wanted) && wanted > 0) return wanted;
  throw new CommandError("ERR Invalid client ID");
}

function typeFilter(argument: Argument): (session: Session) => boolean {
  switch (String(argument).toLowerCase()) {
    case "normal":
      return (session) => !isSubscriber(session);
    case "pubsub":
      return isSubscriber;
    case "master":
    case "primary":
    case "slave":
    case "replica":
      return () => false;
    default:
      throw new CommandError(`ERR Unknown client type '${String(argument)}'`);
  }
}

export function kill(session: Session, args: readonly Argument[]): Encoded {
  const { encode, server } = session;
  if (args.length === 1) {
    const wanted = String(args[0]);
    const found = [...server.sessions.values()].find(({ address }) => address === wanted);
    if (found === undefined) throw new CommandError("ERR No such client");
    end(found, session);
    return encode.ok;
  }
  const isMeant = killFilter(session, args);
  const killed = [...server.sessions.values()].filter(isMeant);
  for (const other of killed) end(other, session);
  return encode.integer(killed.length);
}

/** One's own connection ends behind the reply. */
function end(session: Session, own: Session): void {
  if (session === own) own.endAfterReply();
  else session.kill();
}

type Filter = (session: Session) => boolean;

function killFilter(own: Session, args: readonly Argument[]): Filter {
  const filters: Filter[] = [];
  let skipsOwn = true;
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    if (value === undefined) throw syntaxError();
    if (wordAt(args, at) === "SKIPME") skipsOwn = yesOrNo(value);
    else filters.push(filterBy(wordAt(args, at), value, own));
  }
  if (skipsOwn) filters.push((session) => session !== own);
  return (session) => filters.every((filter) => filter(session));
}

function filterBy(option: string, value: Argument, own: Session): Filter {
  switch (option) {
    case "ID": {
      const wanted = Number(value);
      if (!(Number.isSafeInteger(wanted) && wanted > 0)) {
        throw new CommandError("ERR client-id should be greater than 0");
      }
      return (session) => session.id === wanted;
    }
    case "ADDR":
      return (session) => session.address === value;
    case "LADDR":
      return (session) => session.localAddress === value;
    case "TYPE":
      return typeFilter(value);
    case "USER":
      return (session) => session.user?.name === value;
    case "MAXAGE": {
      const now = own.server.facts.now();
      const seconds = integer(value);
      return (session) => now - session.since >= seconds * 1000;
    }
    default:
      throw syntaxError();
  }
}

function yesOrNo(argument: Argument): boolean {
  const word = String(argument).toLowerCase();
  if (word !== "yes" && word !== "no") throw syntaxError();
  return word === "yes";
}

/** For what has no effect here, and is asked for by clients all the same. */
export function acceptSwitch({ encode }: Session, args: readonly Argument[]): Encoded {
  const word = wordAt(args, 0);
  if (word !== "ON" && word !== "OFF") throw syntaxError();
  return encode.ok;
}

export function reply(session: Session, args: readonly Argument[]): Encoded {
  switch (wordAt(args, 0)) {
    case "ON":
      session.replyMode = "on";
      return session.encode.ok;
    case "OFF":
      session.replyMode = "off";
      return "";
    case "SKIP":
      if (session.replyMode !== "off") session.replyMode = "skip next";
      return "";
    default:
      throw syntaxError();
  }
}

export function unblock({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const wanted = integer(args[0] as Argument);
  const reason = args.length === 1 ? "TIMEOUT" : wordAt(args, 1);
  if (args.length > 2) throw syntaxError();
  if (reason !== "TIMEOUT" && reason !== "ERROR") {
    throw new CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const found = server.sessions.get(wanted);
  const isEnded = found?.unblock(reason === "TIMEOUT" ? "timeout" : "error") === true;
  return encode.integer(isEnded ? 1 : 0);
}

export function getRedirection({ encode }: Session): Encoded {
  return encode.integer(-1);
}
