// Exit codes of the command line, documented in docs/cli.md and in every `--help`.

export const exitCodes = {
  /** Everything is in order, or was put in order without any loss. */
  fine: 0,
  /** Damage was found or something lost, a copy was not finished, or its stores are not equal. */
  damaged: 1,
  /** The command was not understood or not confirmed; nothing was done. */
  usage: 2,
  /** The store is in use, or cannot be read or written. */
  unavailable: 3,
  /** A signal ended a copy; the same command goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0  everything is in order, or was put in order without any loss
  1  damage was found, something was lost, a copy into the store has not come to its end, or the stores of a copy are not equal
  2  the command was not understood or not confirmed; nothing was done
  3  the store is in use, or cannot be read or written
  130  a signal ended a copy; the same command goes on`;
