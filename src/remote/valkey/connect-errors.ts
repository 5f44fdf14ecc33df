// Why a server cannot be reached, from what the operating system and TLS say.
//
// A server that speaks TLS hangs up on whoever does not, or answers with an alert; one that does not
// speak TLS hangs up on its first bytes, or waits for the end of a line. Both get a hint.

import { type KvError, ServerConnectionError } from "../../base/errors.js";
import { causeOf, isReplyError, serverError } from "./server-errors.js";

export interface ConnectContext {
  /** "valkey at 127.0.0.1:6379" */
  readonly at: string;
  readonly hasTls: boolean;
  /** Whether a connection was there (with TLS: whether it was secured) when it failed. */
  readonly wasConnected: boolean;
  /** Whether calls have been answered before, so that address and TLS are right. */
  readonly hasWorked?: boolean;
  /** Whether there is a connection of TCP now, secured or not. Default: nobody has looked. */
  readonly hasTcp?: boolean;
}

const useTls = "if the server expects TLS, set `tls: true` or write valkeys: in the URL";
const handshakeFailed = "the TCP connection stands, but no TLS connection comes about on it";
const dropTls = "if the server does not speak TLS, leave out `tls`, or write valkey: in the URL";

const giveCertificate =
  "if the server demands a certificate of the client, give `tls.cert` and `tls.key`; its log tells";

const hasWorkedHint =
  "it has answered before: look at its load and its log, and at the network between";

const trustIt =
  "give the certificate of its authority as `tls.ca` (its text in PEM, not its path), or name its file in NODE_EXTRA_CA_CERTS";

const byCode: Readonly<Record<string, readonly [says: string, hint: string]>> = {
  ECONNREFUSED: ["nobody listens there", "check host and port, and that the server is running"],
  ENOTFOUND: ["there is no such host", "check the name of the host"],
  EAI_AGAIN: ["the name of the host cannot be resolved", "check the name of the host, and the DNS"],
  EHOSTUNREACH: ["the host cannot be reached", "check the host and the network"],
  ENETUNREACH: ["the host cannot be reached", "check the host and the network"],
  ENOENT: ["there is no such socket", "check `path`, and that the server is running"],
  EACCES: ["this process may not use the socket", "let it read and write the socket"],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "its certificate is for another name",
    "use the host that the certificate names, or give its name as `tls.servername`",
  ],
  CERT_HAS_EXPIRED: ["its certificate has expired", "renew the certificate of the server"],
};
const untrusted = /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|DEPTH_ZERO/;

/** @param error what the client has reported, if anything. */
export function connectError(error: Error | undefined, context: ConnectContext): KvError {
  if (isReplyError(error)) return serverError(error, context.at);
  const [says, advice] = reasonOf(error, context);
  const isOfTls = advice === useTls || advice === dropTls || advice === giveCertificate;
  const hint = isOfTls && context.hasWorked ? hasWorkedHint : advice;
  const cause = error === undefined ? {} : { cause: causeOf(error) };
  return new ServerConnectionError(`${context.at}: ${says}`, { hint, ...cause });
}

function reasonOf(error: Error | undefined, context: ConnectContext): readonly [string, string] {
  const { hasTls, wasConnected } = context;
  const { code = "", message = "" } = (error ?? {}) as NodeJS.ErrnoException;
  const known = byCode[code];
  if (known !== undefined) return known;
  if (untrusted.test(code)) {
    return ["its certificate is not trusted", trustIt];
  }
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) {
    return ["it demands a certificate of the client", "give `tls.cert` and `tls.key`"];
  }
  if (message.startsWith("None of startup nodes")) {
    return [
      "no node of the cluster tells which nodes to ask",
      "look at `CLUSTER INFO` and `CLUSTER SLOTS`: slots without a node, or addresses that are not reached from here; a cluster of a single node tells no address unless it has `cluster-announce-ip`",
    ];
  }
  if (message.startsWith("Protocol error")) return ["it speaks another protocol", useTls];
  if (code === "ETIMEDOUT" || message.startsWith("Socket timeout"))
    return ["no answer", "check host and port, and firewalls between"];
  // Who cannot be reached by TCP has another code.
  if (hasTls && !wasConnected)
    return [`${handshakeFailed} (${message || code || "hung up"})`, dropTls];
  const detail = message === "" ? "" : ` (${message})`;
  // A server that refuses a client without a certificate says so only after the handshake of TLS 1.3,
  // and hangs up: what it has said may be lost.
  if (hasTls) return [`it hung up on the TLS connection${detail}`, giveCertificate];
  return [`it hung up${detail}`, useTls];
}

/** The opening took too long. */
export function timeoutError(ms: number, context: ConnectContext): KvError {
  const { at, hasTls, wasConnected, hasTcp, hasWorked } = context;
  if (hasTls && hasTcp && !wasConnected) {
    return new ServerConnectionError(`${at}: ${handshakeFailed} within ${ms} ms`, {
      hint: dropTls,
    });
  }
  const hint = hasWorked ? hasWorkedHint : silenceHint(context);
  return new ServerConnectionError(`${at}: no answer within ${ms} ms`, { hint });
}

function silenceHint({ hasTls, wasConnected }: ConnectContext): string {
  return wasConnected
    ? `check that it is a server of Valkey; ${hasTls ? dropTls : useTls}`
    : `check host and port, and firewalls between${hasTls ? `; ${dropTls}` : ""}`;
}
