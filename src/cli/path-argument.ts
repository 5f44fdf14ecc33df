// Path arguments: what is an URL, or was meant as one, is never taken for a path.
//
// A path stands in messages, an URL must not: it may hold a password.

import { resolve } from "node:path";
import { InvalidOptionsError } from "../base/errors.js";
import { isServerUrl } from "../kv/options/valkey-address.js";

const scheme = /^[a-z][a-z0-9+.-]*:\/\//i;

export function isUrl(text: string): boolean {
  return scheme.test(text);
}

/** Of a command that works on files. @throws InvalidOptionsError */
export function filesPath(text: string, command: string): string {
  if (!isUrl(text) && !isServerUrl(text)) return resolve(text);
  throw new InvalidOptionsError(`${command} takes a path and no URL`, {
    hint: "what lies on a server has no files to look into; a file of such a name is ./NAME",
  });
}

/** Where an URL is possible, too. @throws InvalidOptionsError */
export function pathOrNone(text: string, end: string): string {
  if (!isServerUrl(text)) return resolve(text);
  throw new InvalidOptionsError(`${end} is neither a path nor an URL`, {
    hint: "an URL has two slashes: valkey://host, or three: unix:///path; a file of such a name is ./NAME",
  });
}
