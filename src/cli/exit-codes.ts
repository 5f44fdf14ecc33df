// Exit codes of the command line, documented in docs/cli.md and in every `--help`.

export const exitCodes = {
  /** Everything is in order, or was put in order without any loss. */
  fine: 0,
  /** Damage was found or something lost, a copy was not finished, or its stores are not equal. */
  damaged: 1,
  /** The command was not understood or not confirmed; nothing was done. */
  usage: 2,
  /** The store is in use, or cannot be read or written; or it refuses what it was asked for. */
  unavailable: 3,
  /** What the command was to work on is not there, or there already. */
  missing: 4,
  /** A signal ended the work. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const meanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.fine, "done; everything is in order, or was put in order without any loss"],
  [
    exitCodes.damaged,
    "damage was found, something was lost, a copy into the store has not come to its end, or the stores of a copy are not equal",
  ],
  [exitCodes.usage, "the command was not understood or not confirmed; nothing was done"],
  [
    exitCodes.unavailable,
    "the store is in use, cannot be reached, read or written, or refuses what it was asked for",
  ],
  [
    exitCodes.missing,
    "there is no such key or claim, or with --if-absent the key is there already",
  ],
  [exitCodes.interrupted, "a signal ended the work; a copy goes on with the same command"],
];

export const exitCodesHelp = `
Exit codes:
${meanings.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`;
