// Connection: who a client is, and how it is spoken to.

import { isSubscriber } from "../admission.js";
import type { Argument } from "../argument.js";
import { CommandError } from "../command.js";
import { type Encoded, resp2, resp3 } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { integer } from "../numbers.js";
import type { Session } from "../session.js";
import { compatibleVersion } from "../version.js";
import { nameOf } from "./client.js";
import { wordAt } from "./options.js";

export function ping(session: Session, args: readonly Argument[]): Encoded {
  const { encode } = session;
  if (args.length > 1) {
    throw new CommandError("ERR wrong number of arguments for 'ping' command");
  }
  const [message] = args;
  if (encode.protocol === 2 && isSubscriber(session)) {
    return encode.array([encode.bulk("pong"), encode.bulk(message ?? "")]);
  }
  return message === undefined ? encode.simple("PONG") : encode.bulk(message);
}

export function echo({ encode }: Session, args: readonly Argument[]): Encoded {
  return encode.bulk(args[0] as Argument);
}

export function select({ encode }: Session, args: readonly Argument[]): Encoded {
  if (integer(args[0] as Argument) !== 0) throw new CommandError("ERR DB index is out of range");
  return encode.ok;
}

/** Clients say before they scan that a replica would do. */
export function accepted({ encode }: Session): Encoded {
  return encode.ok;
}

export function auth(session: Session, args: readonly Argument[]): Encoded {
  if (args.length > 2) throw syntaxError();
  if (args.length === 1 && !session.server.users.hasPasswordOfDefault) {
    throw new CommandError(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  }
  const [name, password] = args.length === 1 ? ["default", args[0]] : args;
  logIn(session, name as Argument, password as Argument);
  return session.encode.ok;
}

function logIn(session: Session, name: Argument, password: Argument): void {
  const user = session.server.users.find(name, password);
  if (user === undefined) {
    session.server.facts.counts.failedLogins++;
    throw new CommandError("WRONGPASS invalid username-password pair or user is disabled.");
  }
  session.user = user;
}

interface Greeting {
  readonly login: readonly [name: Argument, password: Argument] | undefined;
  readonly name: string | undefined;
}

export function hello(session: Session, args: readonly Argument[]): Encoded {
  const protocol = args.length === 0 ? session.encode.protocol : protocolOf(args[0] as Argument);
  const { login, name } = greetingOf(args);
  if (login !== undefined) logIn(session, ...login);
  if (session.user === undefined) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the " +
        "RESP protocol version at the same time",
    );
  }
  if (name !== undefined) session.name = name;
  session.encode = protocol === 3 ? resp3 : resp2;
  return serverFacts(session);
}

function protocolOf(argument: Argument): number {
  const text = typeof argument === "string" ? argument : "";
  if (!/^(?:0|-?[1-9]\d{0,17})$/.test(text)) {
    throw new CommandError("ERR Protocol version is not an integer or out of range");
  }
  if (text !== "2" && text !== "3") {
    throw new CommandError("NOPROTO unsupported protocol version");
  }
  return Number(text);
}

function greetingOf(args: readonly Argument[]): Greeting {
  let login: Greeting["login"];
  let name: string | undefined;
  for (let at = 1; at < args.length; at++) {
    const option = wordAt(args, at);
    const left = args.length - 1 - at;
    if (option === "AUTH" && left >= 2) {
      login = [args[at + 1] as Argument, args[at + 2] as Argument];
      at += 2;
    } else if (option === "SETNAME" && left >= 1) name = nameOf(args[++at] as Argument);
    else throw new CommandError(`ERR Syntax error in HELLO option '${String(args[at])}'`);
  }
  return { login, name };
}

function serverFacts({ encode, id }: Session): Encoded {
  const { bulk } = encode;
  return encode.map([
    ...[bulk("server"), bulk("anykv"), bulk("version"), bulk(compatibleVersion)],
    ...[bulk("proto"), encode.integer(encode.protocol), bulk("id"), encode.integer(id)],
    ...[bulk("mode"), bulk("standalone"), bulk("role"), bulk("master")],
    ...[bulk("modules"), encode.array([])],
  ]);
}

export function quit(session: Session): Encoded {
  session.endAfterReply();
  return session.encode.ok;
}

export function reset(session: Session): Encoded {
  session.reset();
  return session.encode.simple("RESET");
}
