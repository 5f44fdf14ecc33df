// Needless passwords: a server without one answers AUTH with an error, and serves whoever has asked.
//
// Our clients would write to the console then. A store goes on all the same, because an application
// has the same options for its servers with a password and without; the process gets a warning instead.

import type { NodeClient } from "./valkey-client.js";

type Callback = (error: Error | null) => void;
/** What of a client of iovalkey is not in the type of what we send through it. */
interface Authenticating {
  auth(credentials: unknown, callback: Callback): unknown;
  duplicate(...options: unknown[]): Authenticating;
}

const isNeedless = /no password is set|without any password configured for the default user/;
const warned = new Set<string>();
const warnedMax = 100;

/** Of a client of our own, before it connects. */
export function mindNeedlessPassword(client: NodeClient, at: string): void {
  mind(client as unknown as Authenticating, at);
}

function mind(client: Authenticating, at: string): Authenticating {
  const { auth, duplicate } = client;
  client.auth = (credentials, callback) =>
    auth.call(client, credentials, (error) => {
      if (!isNeedless.test(error?.message ?? "")) return callback(error);
      warn(at);
      callback(null);
    });
  // A cluster asks for its slots through one of these.
  client.duplicate = (...options) => mind(duplicate.apply(client, options), at);
  return client;
}

function warn(at: string): void {
  if (warned.has(at) || warned.size >= warnedMax) return;
  warned.add(at);
  process.emitWarning(`${at} demands no password, and one is given`, {
    type: "AnykvWarning",
    code: "ANYKV_NEEDLESS_PASSWORD",
  });
}
