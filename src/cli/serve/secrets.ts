// Secrets: passwords, users and tokens of `anykv serve`, from files or the environment.
//
// A line of a file of users is `name password`, of a file of tokens `token`; "read-only" may stand
// behind it. Lines that begin with "#" and empty ones are left out. No message repeats a secret.

import { InvalidOptionsError } from "../../base/errors.js";
import { readTextFile } from "./text-file.js";

export interface NamedSecret {
  readonly name: string;
  readonly password: string;
  readonly readOnly: boolean;
}

export interface TokenSecret {
  readonly token: string;
  readonly readOnly: boolean;
}

/** The first line of a file. @throws InvalidOptionsError */
export function passwordIn(file: string): string {
  const [line = ""] = readTextFile(file, "--password-file").split(/\r?\n/, 1);
  if (line === "") throw new InvalidOptionsError(`${file}: its first line is no password`);
  return line;
}

/** @throws InvalidOptionsError */
export function usersIn(file: string): NamedSecret[] {
  return wordLines(file, "--users-file").map(({ words, place }) => {
    const [name = "", password = "", mark, ...rest] = words;
    if (password === "" || rest.length > 0) {
      throw new InvalidOptionsError(
        `${place}: must be a name and a password, and may say read-only`,
      );
    }
    return { name, password, readOnly: isReadOnly(mark, place) };
  });
}

/** @throws InvalidOptionsError */
export function tokensIn(file: string): TokenSecret[] {
  return wordLines(file, "--tokens-file").map(({ words, place }) => {
    const [token = "", mark, ...rest] = words;
    if (rest.length > 0) {
      throw new InvalidOptionsError(`${place}: must be a token, and may say read-only`);
    }
    return { token, readOnly: isReadOnly(mark, place) };
  });
}

function isReadOnly(mark: string | undefined, place: string): boolean {
  if (mark === undefined) return false;
  if (mark === "read-only") return true;
  throw new InvalidOptionsError(`${place}: the last word may be read-only, and nothing else`);
}

/** A file without a line would leave the door open to everybody. */
function wordLines(file: string, option: string): { words: string[]; place: string }[] {
  const lines = readTextFile(file, option).split(/\r?\n/);
  const found = lines.flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    const isEmpty = words[0] === "" || words[0]?.startsWith("#");
    return isEmpty ? [] : [{ words, place: `${file}:${index + 1}` }];
  });
  if (found.length > 0) return found;
  throw new InvalidOptionsError(`${file}: the file of ${option} has no line`);
}
