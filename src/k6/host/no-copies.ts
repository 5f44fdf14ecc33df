// What moves the rows of a whole store has no place in k6, and is left out of the bundle: there this
// stands for remote/remote-content.ts, remote-replace.ts and remote-snapshot.ts.

import { BackendUnavailableError } from "../../base/errors.js";
import type { Content } from "../../store/content.js";

function absent(): Promise<never> {
  return Promise.reject(new BackendUnavailableError("rows of a store cannot be moved by k6"));
}

export const takeSnapshot = absent;
export const replace = absent;

export function remoteContent(): Content {
  return new Proxy({} as Content, { get: () => absent });
}
