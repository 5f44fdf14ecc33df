// Serve options: what the words of `anykv serve` mean for the doors.
//
// Secrets come from files or the environment; one in an argument works, with a warning, because all
// users of a machine can read the arguments of its processes. Without a secret no door opens to other
// machines, unless --no-protected-mode says that they are kept away in another way.

import type { TlsOptions } from "node:tls";
import { InvalidOptionsError } from "../../base/errors.js";
import { type HttpOptions, isLoopback } from "../../server/http/http-options.js";
import type { RespOptions } from "../../server/resp/resp-options.js";
import type { Terminal } from "../terminal.js";
import { passwordIn, tokensIn, usersIn } from "./secrets.js";
import { readTextFile } from "./text-file.js";

export interface DoorFlags {
  readonly resp: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly http?: boolean;
  readonly httpHost?: string;
  readonly httpPort?: number;
  readonly allowedHost?: string[];
  readonly corsOrigin?: string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly usersFile?: string;
  readonly tokensFile?: string;
  readonly protectedMode: boolean;
  readonly filesDirectory?: string;
  readonly clientsMax?: number;
  readonly idleTimeout?: number;
  readonly closeTimeout?: number;
}

/** @throws InvalidOptionsError */
export function respOptions(terminal: Terminal, flags: DoorFlags): RespOptions | undefined {
  if (!flags.resp) {
    const given = (["port", "socket"] as const).find((name) => flags[name] !== undefined);
    if (given === undefined) return undefined;
    throw new InvalidOptionsError(`--no-resp and --${given} contradict each other`);
  }
  const { host, port, socket, usersFile } = flags;
  const password = passwordOf(terminal, flags);
  const hasSecret = password !== undefined || usersFile !== undefined;
  refuseOpenHouse("RESP", host, hasSecret, flags);
  const { clientsMax, idleTimeout, closeTimeout, protectedMode } = flags;
  return {
    ...{ host, port, path: socket, tls: tlsOptions(flags), protectedMode },
    ...{ clientsMax, idleTimeout, closeTimeout },
    password,
    users: usersFile === undefined ? undefined : usersIn(usersFile),
  };
}

/** @throws InvalidOptionsError */
export function httpOptions(flags: DoorFlags): HttpOptions | undefined {
  const { http = false, httpHost, httpPort } = flags;
  if (!http && httpHost === undefined && httpPort === undefined) {
    if (flags.tokensFile !== undefined) {
      throw new InvalidOptionsError("--tokens-file is for the HTTP door: give --http, too");
    }
    return undefined;
  }
  const { protectedMode, allowedHost, corsOrigin, closeTimeout } = flags;
  const host = httpHost ?? flags.host;
  const tokens = httpTokens(flags);
  refuseOpenHouse("HTTP", host, tokens !== undefined, flags);
  return {
    ...{ host, port: httpPort, tls: tlsOptions(flags), protectedMode, tokens },
    ...{ allowedHosts: allowedHost, closeTimeout },
    cors: corsOrigin === undefined ? undefined : { origins: corsOrigin },
  };
}

const waysToSecrets = {
  RESP: "set ANYKV_PASSWORD, --password-file or --users-file",
  HTTP: "set ANYKV_TOKEN or --tokens-file",
};

/** Before a store comes into being, in the words of the command line. */
function refuseOpenHouse(
  door: keyof typeof waysToSecrets,
  host: string | undefined,
  hasSecret: boolean,
  { protectedMode }: DoorFlags,
): void {
  if (hasSecret || !protectedMode || host === undefined || isLoopback(host)) return;
  const secret = door === "RESP" ? "password" : "token";
  throw new InvalidOptionsError(
    `without a ${secret} the ${door} door does not listen on ${host}, which others can reach`,
    {
      hint: `${waysToSecrets[door]}, or --no-protected-mode if the network is closed to others`,
    },
  );
}

function httpTokens({ tokensFile }: DoorFlags): HttpOptions["tokens"] {
  const { ANYKV_TOKEN: token = "" } = process.env;
  const tokens = tokensFile === undefined ? [] : tokensIn(tokensFile);
  if (token !== "") tokens.unshift({ token, readOnly: false });
  return tokens.length === 0 ? undefined : tokens;
}

function passwordOf(terminal: Terminal, flags: DoorFlags): string | undefined {
  const { password, passwordFile } = flags;
  if (password !== undefined && passwordFile !== undefined) {
    throw new InvalidOptionsError("--password and --password-file: give one of them");
  }
  if (passwordFile !== undefined) return passwordIn(passwordFile);
  if (password === undefined) return process.env.ANYKV_PASSWORD || undefined;
  terminal.error(
    "anykv: warning: a password in an argument is seen by all users of this machine; " +
      "use --password-file, or set ANYKV_PASSWORD\n",
  );
  return password;
}

function tlsOptions({ tlsCert, tlsKey, tlsCa }: DoorFlags): TlsOptions | undefined {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsCa === undefined) return undefined;
    throw new InvalidOptionsError("--tls-ca is of use with --tls-cert and --tls-key only");
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new InvalidOptionsError("--tls-cert and --tls-key belong together");
  }
  const tls = {
    cert: readTextFile(tlsCert, "--tls-cert"),
    key: readTextFile(tlsKey, "--tls-key"),
  };
  if (tlsCa === undefined) return tls;
  const ca = readTextFile(tlsCa, "--tls-ca");
  return { ...tls, ca, requestCert: true, rejectUnauthorized: true };
}
