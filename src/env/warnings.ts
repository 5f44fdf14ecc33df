// Warnings: what the people who run a process should hear, and no program acts on.

export interface Warning {
  readonly message: string;
  readonly code: string;
  readonly detail?: string;
}

/** Told by Node on the standard error output, and to listeners of "warning". */
export function warn({ message, code, detail }: Warning): void {
  process.emitWarning(message, {
    type: "AnykvWarning",
    code,
    ...(detail === undefined ? {} : { detail }),
  });
}
