// Transaction rows.

import type { Command } from "../command.js";
import * as transactions from "../commands/transactions.js";
import { noKeys } from "./key-positions.js";

export const transactionsCommands: readonly Command[] = [
  {
    name: "MULTI",
    group: "transactions",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "no_multi", "allow_busy"],
    keys: noKeys,
    syntax: "",
    summary: "Begins a transaction: what follows is queued.",
    complexity: "O(1)",
    reply: ["ok"],
    body: { kind: "session", run: transactions.multi },
  },
  {
    name: "EXEC",
    group: "transactions",
    arity: 1,
    flags: ["noscript", "loading", "stale"],
    keys: noKeys,
    syntax: "",
    summary: "Carries out what was queued, unless a watched key has changed.",
    complexity: "O(N), the work of what was queued",
    reply: ["array", "nil"],
    body: { kind: "session", run: transactions.exec },
  },
  {
    name: "DISCARD",
    group: "transactions",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    keys: noKeys,
    syntax: "",
    summary: "Forgets what was queued.",
    complexity: "O(N), the number of queued commands",
    reply: ["ok"],
    body: { kind: "session", run: transactions.discard },
  },
  {
    name: "WATCH",
    group: "transactions",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "no_multi", "allow_busy"],
    keys: [1, -1, 1],
    syntax: "key [key ...]",
    summary: "Has EXEC refuse the transaction if the content of a key is another one by then.",
    complexity: "O(N), the size of the arrays and sets among the keys",
    reply: ["ok"],
    body: { kind: "session", run: transactions.watch },
  },
  {
    name: "UNWATCH",
    group: "transactions",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    keys: noKeys,
    syntax: "",
    summary: "Forgets the watched keys.",
    complexity: "O(1)",
    reply: ["ok"],
    body: { kind: "session", run: transactions.unwatch },
  },
];
