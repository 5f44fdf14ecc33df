// Session commands: the rows of all commands that concern connections and the server.

import type { Command } from "../command.js";
import { connectionCommands } from "./connection.js";
import { pubsubCommands } from "./pubsub.js";
import { serverCommands } from "./server.js";
import { transactionsCommands } from "./transactions.js";

export const sessionCommands: readonly Command[] = [
  ...connectionCommands,
  ...serverCommands,
  ...transactionsCommands,
  ...pubsubCommands,
];
