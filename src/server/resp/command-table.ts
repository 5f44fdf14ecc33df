// Command table: commands by name.

import type { Argument } from "./argument.js";
import type { Command } from "./command.js";

/** What the first word of a request names. */
export interface Entry {
  readonly name: string;
  /** undefined where a subcommand is needed. */
  readonly command: Command | undefined;
  /** By their names in capitals; undefined where there are none. */
  readonly subcommands: ReadonlyMap<string, Command> | undefined;
  /** How often it has been called. */
  calls: number;
}

export class CommandTable {
  readonly commands: readonly Command[];
  /** Each once. */
  readonly entries: readonly Entry[];
  readonly #entries = new Map<string, Entry>();

  constructor(commands: readonly Command[]) {
    this.commands = commands;
    const own = new Map<string, Command>();
    const subcommands = new Map<string, Map<string, Command>>();
    for (const command of commands) {
      const [name = "", subcommand] = command.name.split("|");
      if (subcommand === undefined) own.set(name, command);
      else {
        const others = subcommands.get(name) ?? new Map<string, Command>();
        subcommands.set(name, others.set(subcommand, command));
      }
    }
    const names = new Set([...own.keys(), ...subcommands.keys()]);
    this.entries = Array.from(names, (name) => {
      return { name, command: own.get(name), subcommands: subcommands.get(name), calls: 0 };
    });
    for (const entry of this.entries) {
      const { name } = entry;
      // Names come in capitals or in small letters nearly always: those need no conversion.
      this.#entries.set(name, entry);
      this.#entries.set(name.toLowerCase(), entry);
    }
  }

  find(name: Argument): Entry | undefined {
    if (typeof name !== "string") return undefined;
    return this.#entries.get(name) ?? this.#entries.get(name.toUpperCase());
  }

  /** By the full name, as `client|setname`. */
  named(name: Argument): Command | undefined {
    if (typeof name !== "string") return undefined;
    const [first = "", subcommand, ...rest] = name.toUpperCase().split("|");
    const entry = this.#entries.get(first);
    if (subcommand === undefined) return entry?.command;
    return rest.length > 0 ? undefined : entry?.subcommands?.get(subcommand);
  }
}
