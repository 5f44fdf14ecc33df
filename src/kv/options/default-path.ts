// Default paths: where a store keeps its files when nobody says where.
//
//   disk  ./.anykv      a file             named: ./.anykv-NAME
//   wal   ./.anykv.wal  a directory        named: ./.anykv.wal-NAME
//
// Invariants
// 1. Different stores have different paths, also where a file system takes "A" and "a" for the same,
//    and none has the path of what lies beside another one: LMDB's lock file, temporary files and
//    files that a repair has put aside.
// 2. A name is never more than the end of one file name: it leads nowhere else.

import { InvalidOptionsError } from "../../base/errors.js";

/** That of the disk backend without a name; backups of other stores go to the same place. */
export const defaultPath = "./.anykv";
const defaultPaths = { disk: defaultPath, wal: "./.anykv.wal" } as const;

/** File names have at most 255 bytes, and some of them belong to what lies beside the file. */
const fileNameLengthMax = 200;

/** @throws InvalidOptionsError for a name that is too long for a file. */
export function defaultPathOf(
  backend: keyof typeof defaultPaths,
  name: string | undefined,
): string {
  const path = defaultPaths[backend];
  if (name === undefined) return path;
  const fileName = escaped(name);
  if (fileName.length <= fileNameLengthMax) return `${path}-${fileName}`;
  throw new InvalidOptionsError(
    `option "name" must be shorter to name a file: it takes ${fileName.length} characters of at ` +
      `most ${fileNameLengthMax} there`,
    { hint: "pass a `path`, and the name may be as long as a key" },
  );
}

/** Small letters, digits, "_" and "-" stand for themselves, any other byte as "%" and its number. */
function escaped(name: string): string {
  const text = Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
  // LMDB's lock file of "x" is "x-lock".
  return text.replace(/(^|-)lock$/, "$1loc%6b");
}
