// Publish and subscribe: messages to whoever listens now.

import { isSubscriber } from "../admission.js";
import type { Argument } from "../argument.js";
import { CommandError } from "../command.js";
import type { Encoded } from "../encoder.js";
import { globOf } from "../glob.js";
import type { Session } from "../session.js";

function textOf(channel: Argument): string {
  if (typeof channel === "string") return channel;
  throw new CommandError("ERR names of channels must be valid UTF-8");
}

type Kind = "subscribe" | "unsubscribe" | "psubscribe" | "punsubscribe";

function told(session: Session, kind: Kind, name: string | undefined): Encoded {
  const { encode, channels, patterns } = session;
  return encode.push([
    encode.bulk(kind),
    name === undefined ? encode.nil : encode.bulk(name),
    encode.integer(channels.size + patterns.size),
  ]);
}

export function subscribe(session: Session, args: readonly Argument[]): Encoded {
  let text = "";
  for (const name of args.map(textOf)) {
    session.channels.add(name);
    session.server.channels.subscribe(name, session);
    text += told(session, "subscribe", name);
  }
  return text;
}

export function psubscribe(session: Session, args: readonly Argument[]): Encoded {
  let text = "";
  for (const pattern of args.map(textOf)) {
    session.patterns.add(pattern);
    session.server.channels.subscribePattern(pattern, session);
    text += told(session, "psubscribe", pattern);
  }
  return text;
}

function refuseOthers(session: Session, kind: Kind): void {
  if (isSubscriber(session)) return;
  throw new CommandError(`NOSUB '${kind}' command executed not in subscribed mode`);
}

export function unsubscribe(session: Session, args: readonly Argument[]): Encoded {
  refuseOthers(session, "unsubscribe");
  const names = args.length > 0 ? args.map(textOf) : [...session.channels];
  if (names.length === 0) return told(session, "unsubscribe", undefined);
  let text = "";
  for (const name of names) {
    session.channels.delete(name);
    session.server.channels.unsubscribe(name, session);
    text += told(session, "unsubscribe", name);
  }
  return text;
}

export function punsubscribe(session: Session, args: readonly Argument[]): Encoded {
  refuseOthers(session, "punsubscribe");
  const patterns = args.length > 0 ? args.map(textOf) : [...session.patterns];
  if (patterns.length === 0) return told(session, "punsubscribe", undefined);
  let text = "";
  for (const pattern of patterns) {
    session.patterns.delete(pattern);
    session.server.channels.unsubscribePattern(pattern, session);
    text += told(session, "punsubscribe", pattern);
  }
  return text;
}

export function publish({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const [channel, message] = args as [Argument, Argument];
  const name = textOf(channel);
  const receivers = server.channels.each(name, (session, pattern) => {
    session.send(messageOf(session, name, message, pattern));
  });
  return encode.integer(receivers);
}

function messageOf(
  { encode }: Session,
  channel: string,
  message: Argument,
  pattern: string | undefined,
): Encoded {
  const { bulk } = encode;
  if (pattern === undefined) {
    return encode.push([bulk("message"), bulk(channel), bulk(message)]);
  }
  return encode.push([bulk("pmessage"), bulk(pattern), bulk(channel), bulk(message)]);
}

export function channels({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const [pattern] = args;
  const matches = pattern === undefined ? undefined : globOf(pattern);
  const names = server.channels.names.filter((name) => matches?.(name) ?? true);
  return encode.array(names.map((name) => encode.bulk(name)));
}

export function countSubscribers({ encode, server }: Session, args: readonly Argument[]): Encoded {
  return encode.array(
    args.flatMap((name) => [
      encode.bulk(name),
      encode.integer(server.channels.countOf(textOf(name))),
    ]),
  );
}

export function countPatterns({ encode, server }: Session): Encoded {
  return encode.integer(server.channels.patternCount);
}
