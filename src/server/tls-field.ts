// TLS field: what a door is given to speak TLS with, tried before anything is opened.

import { createSecureContext, type TlsOptions } from "node:tls";
import { InvalidOptionsError } from "../base/errors.js";
import { type Fields, field, isPlainObject, refuse } from "../kv/arguments.js";

/** @throws InvalidOptionsError */
export function tlsField(fields: Fields, option: string): TlsOptions | undefined {
  const tls = field(fields, "tls");
  if (tls === undefined) return undefined;
  if (!isPlainObject(tls)) return refuse(`option "${option}"`, "an object of options of TLS", tls);
  const { cert, key, pfx, SNICallback: chosenByName } = tls as TlsOptions;
  const isGiven = pfx !== undefined || (cert !== undefined && key !== undefined);
  if (!isGiven && chosenByName === undefined) {
    throw new InvalidOptionsError(`option "${option}" needs \`cert\` and \`key\`, or \`pfx\``);
  }
  try {
    createSecureContext(tls);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^error:\w+:/, "") : "";
    throw new InvalidOptionsError(`option "${option}" cannot be used: ${reason}`, {
      cause,
      hint: "`cert` is the text of a certificate in PEM, `key` that of its private key",
    });
  }
  return tls;
}
