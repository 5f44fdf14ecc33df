// Server check: whether the server that answers can carry the store, asked at every connection.

import { ServerUnsuitableError } from "../../base/errors.js";
import type { ServerFacts } from "../connection.js";
import { ask } from "./raw-command.js";
import { isForbidden, isReplyError } from "./server-errors.js";
import type { NodeClient } from "./valkey-client.js";

/** Functions came with this version of Redis; every version of Valkey has them. */
const majorVersionMin = 7;

export interface Expected {
  /** "valkey at 127.0.0.1:6379" */
  readonly at: string;
  readonly isCluster: boolean;
}

/**
 * Asks a node what it is, and leaves its protocol as it is. HELLO is answered while a server loads its data, and to users who may not
 * use INFO.
 *
 * @throws ServerUnsuitableError, or the error of the client.
 */
export async function checkServer(node: NodeClient, expected: Expected): Promise<ServerFacts> {
  let facts: ReadonlyMap<string, string>;
  try {
    facts = pairsOf(await ask(node, "HELLO"));
  } catch (error) {
    // Who may not ask is let through: the library will tell.
    if (isForbidden(error) && error.message.startsWith("NOPERM")) {
      return { description: `server at ${expected.at}`, isCluster: expected.isCluster };
    }
    if (isForbidden(error) || isMisunderstood(error)) throw tooOld("knows no HELLO", expected);
    throw error;
  }
  return judge(facts, expected);
}

function judge(facts: ReadonlyMap<string, string>, expected: Expected): ServerFacts {
  const version = facts.get("version") ?? "";
  const server = facts.get("server") ?? "server";
  const mode = facts.get("mode") ?? "standalone";
  if (!(Number.parseInt(version, 10) >= majorVersionMin)) {
    throw tooOld(`is ${server} ${version}`, expected);
  }
  if (mode === "sentinel") {
    throw new ServerUnsuitableError(`${expected.at} is a sentinel, which keeps no data`, {
      hint: "connect to the primary that it watches, or pass a client that asks it as `valkey.client`",
    });
  }
  const isCluster = mode === "cluster";
  if (isCluster !== expected.isCluster) throw otherMode(isCluster, expected.at);
  if (!isCluster && facts.get("role") !== "master") {
    throw new ServerUnsuitableError(`${expected.at} is a read-only replica`, {
      hint: "connect to its primary",
    });
  }
  return { description: `${server} ${version} ${mode}`, isCluster };
}

function tooOld(what: string, { at }: Expected): Error {
  return new ServerUnsuitableError(`${at} ${what}: too old`, {
    hint: "use Valkey, or Redis from 7.0 on",
  });
}

function otherMode(isCluster: boolean, at: string): Error {
  return isCluster
    ? new ServerUnsuitableError(`${at} is part of a cluster`, {
        hint: "open with `cluster: true`, in an URL for `anykv copy` with ?cluster=true",
      })
    : new ServerUnsuitableError(`${at} is no part of a cluster`, {
        hint: "open without `cluster`, or connect to a node of the cluster",
      });
}

/** Before 6.2 HELLO demanded a protocol. */
function isMisunderstood(error: unknown): boolean {
  return isReplyError(error) && /wrong number of arguments/.test(error.message);
}

/** A list of names and values in RESP2; a map, in one of its forms, in RESP3. */
function pairsOf(reply: unknown): ReadonlyMap<string, string> {
  if (Array.isArray(reply)) {
    const pairs = reply.flatMap((name, index) => (index % 2 ? [] : [[name, reply[index + 1]]]));
    return textsOf(pairs as [unknown, unknown][]);
  }
  return textsOf(reply instanceof Map ? [...reply] : Object.entries(reply ?? {}));
}

function textsOf(pairs: readonly (readonly [unknown, unknown])[]): ReadonlyMap<string, string> {
  return new Map(pairs.map(([name, value]) => [String(name), String(value)]));
}
