// Data commands: the rows of all commands that concern data.

import type { Command } from "../command.js";
import { hashCommands } from "./hashes.js";
import { keyCommands } from "./keys.js";
import { listCommands } from "./lists.js";
import { setCommands } from "./sets.js";
import { stringCommands } from "./strings.js";

export const dataCommands: readonly Command[] = [
  ...stringCommands,
  ...keyCommands,
  ...listCommands,
  ...hashCommands,
  ...setCommands,
];
