// File name: the name of a file as a remote caller may write it.
//
// Components of letters, digits and most signs with "/" between them, the same on every system. What
// one system takes for something else than a plain name is refused on all: backslashes and colons
// (Windows: separators, drives, streams), names of devices there, dots and spaces at the end.

import { InvalidOptionsError } from "../../base/errors.js";

export const fileNameBytesMax = 1_024;
// Systems take 255; what is written lies beside it first, under a longer name.
export const componentBytesMax = 150;

/** `CON`, `nul.txt`, `COM1` ...: devices of Windows in every directory. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** The components of a name. @throws InvalidOptionsError */
export function componentsOf(name: unknown): string[] {
  if (typeof name !== "string") throw refused("must be given as a string");
  if (name === "") throw refused("must not be empty");
  if (!name.isWellFormed()) throw refused("must be well-formed text");
  if (Buffer.byteLength(name) > fileNameBytesMax) {
    throw refused(`must be at most ${fileNameBytesMax} bytes of UTF-8`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(name)) throw refused("must not have control characters");
  if (name.startsWith("/")) throw refused("must be relative");
  if (/[\\:]/.test(name)) throw refused('must not have "\\" or ":"');
  const components = name.split("/");
  for (const component of components) checkComponent(component);
  return components;
}

function checkComponent(component: string): void {
  if (component === "") throw refused('must have something before, between and behind "/"');
  if (component === "." || component === "..") throw refused('must not have the parts "." or ".."');
  if (/[. ]$/.test(component)) throw refused("must not have parts that end in a dot or a space");
  if (deviceName.test(component)) throw refused("must not have the names of devices");
  if (Buffer.byteLength(component) > componentBytesMax) {
    throw refused(`must have parts of at most ${componentBytesMax} bytes`);
  }
}

function refused(what: string): InvalidOptionsError {
  return new InvalidOptionsError(`option "fileName" ${what}`, {
    hint: 'it is the name of a file below the directory that the server has for files, as in "daily/users.jsonl"',
  });
}
