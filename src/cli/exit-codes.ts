// Exit codes of the command line, documented in docs/cli.md and in every `--help`.

export const exitCodes = {
  /** Everything is in order, or was put in order without any loss. */
  fine: 0,
  /** Damage was found, or something was lost. */
  damaged: 1,
  /** The command was not understood or not confirmed; nothing was done. */
  usage: 2,
  /** The store is in use, or cannot be read or written. */
  unavailable: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0  everything is in order, or was put in order without any loss
  1  damage was found, or something was lost
  2  the command was not understood or not confirmed; nothing was done
  3  the store is in use, or cannot be read or written`;
