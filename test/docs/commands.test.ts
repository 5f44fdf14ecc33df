// The page docs/commands.md is made of the command table. When that has changed, `vitest run
// test/docs/commands.test.ts -u` writes the page anew.

import { expect, test } from "vitest";
import { FunctionDoor } from "../../src/server/functions/fcall.js";
import { functionRows } from "../../src/server/functions/function-commands.js";
import type { Command, Group } from "../../src/server/resp/command.js";
import { dataCommands } from "../../src/server/resp/table/data-commands.js";
import { sessionCommands } from "../../src/server/resp/table/session-commands.js";
import { servedMemory } from "../server/functions/served.js";

const groups: readonly (readonly [group: Group, title: string])[] = [
  ["string", "Strings and counters"],
  ["generic", "Keys"],
  ["list", "Lists"],
  ["hash", "Hashes"],
  ["set", "Sets"],
  ["transactions", "Transactions"],
  ["pubsub", "Channels"],
  ["connection", "Connections"],
  ["server", "Server"],
  ["scripting", "Functions"],
];

const head = `# Commands

Every command that \`anykv serve\` answers over RESP, made of the table that the server itself runs
on. Replies and errors are those of Valkey 8; [resp.md](resp.md) says where the types of Valkey meet
the kinds of anykv, and lists every difference. Anything else is answered as an unknown command.

Replies: \`ok\`, \`simple\` (a simple string), \`integer\`, \`bulk\` (a bulk string), \`nil\`, \`array\`,
and in RESP3 \`map\`, \`set\` and \`double\`, which in RESP2 are flat arrays and bulk strings. In the
complexity n is the number of keys of the store.
`;

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function rowOf({ name, syntax, reply, complexity, summary }: Command): string {
  const words = cell(`${name.replace("|", " ")} ${syntax}`.trimEnd());
  return `| \`${words}\` | ${reply.join(", ")} | ${cell(complexity)} | ${cell(summary)} |`;
}

function page(commands: readonly Command[]): string {
  const sections = groups.flatMap(([group, title]) => {
    const rows = commands.filter((command) => command.group === group).map(rowOf);
    if (rows.length === 0) return [];
    const columns = "| Command | Reply | Complexity | |\n| --- | --- | --- | --- |";
    return [`\n## ${title}\n\n${columns}\n${rows.join("\n")}\n`];
  });
  return head + sections.join("");
}

test("docs/commands.md says what the table says", async () => {
  const functions = new FunctionDoor(servedMemory().library, { prefix: "anykv", store: "" });
  const commands = [...dataCommands, ...sessionCommands, ...functionRows(functions)];
  expect(new Set(groups.map(([group]) => group))).toEqual(
    new Set([...commands.map(({ group }) => group), ...groups.map(([group]) => group)]),
  );
  await expect(page(commands)).toMatchFileSnapshot("../../docs/commands.md");
});
