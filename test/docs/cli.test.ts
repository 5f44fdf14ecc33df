// docs/cli.md has the reference that the program makes, and help has all that is promised.
// `ANYKV_WRITE_DOCS=1` writes the reference.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCodesHelp } from "../../src/cli/exit-codes.js";
import { programOn } from "../../src/cli/program.js";
import { processTerminal } from "../../src/cli/terminal.js";
import { nodeEnv } from "../../src/env/env.js";
import { runCommand } from "../cli/run-command.js";
import { cliReference } from "./cli-reference.js";

const page = new URL("../../docs/cli.md", import.meta.url);
const marks = /<!-- reference -->\n.*<!-- end of the reference -->/s;
const program = programOn(processTerminal(nodeEnv), () => {});
const names = program.commands.map((command) => command.name());

test("docs/cli.md has the reference that the program makes", () => {
  const text = readFileSync(page, "utf8");
  const made = text.replace(
    marks,
    () => `<!-- reference -->\n\n${cliReference(program)}\n\n<!-- end of the reference -->`,
  );
  expect(text).toMatch(marks);
  if (process.env.ANYKV_WRITE_DOCS === "1") writeFileSync(page, made);
  else expect(text).toBe(made);
});

test("every command that was promised is there, and in the table of the page", () => {
  expect([...names].sort()).toStrictEqual(
    [
      ...["serve", "get", "set", "del", "scan", "count", "stats", "claims", "bench", "completion"],
      ...["import", "export", "backup", "restore", "copy", "verify", "repair"],
    ].sort(),
  );
  const [table = ""] = /\| \[`serve`\].*?\n\n/s.exec(readFileSync(page, "utf8")) ?? [];
  for (const name of names) expect(table).toContain(`\`${name}\``);
});

test.each(names)("help of %s has examples of it and the exit codes", async (name) => {
  const { code, out, error } = await runCommand([name, "--help"]);
  expect({ code, error }).toStrictEqual({ code: 0, error: "" });
  const [, examples = ""] = /^Examples:\n(.*?)\n\n/ms.exec(out) ?? [];
  for (const line of examples.split("\n")) expect(line).toContain(`anykv ${name}`);
  expect(out).toContain(exitCodesHelp);
});

/** What an example calls, as the parser sees it: it must know every option. */
test.each(names)("the examples of %s are understood", (name) => {
  const command = program.commands.find((one) => one.name() === name);
  let help = "";
  command?.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command?.outputHelp();
  const [, examples = ""] = /^Examples:\n(.*?)\n\n/ms.exec(help) ?? [];
  const known = command?.options.flatMap(({ short, long }) => [short, long]) ?? [];
  for (const line of examples.split("\n")) {
    const [, words = ""] = new RegExp(`anykv ${name}(.*?)(?: \\| |$)`).exec(line) ?? [];
    for (const word of words.split(" ").filter((one) => /^--?[a-z]/.test(one))) {
      expect(known, line).toContain(word);
    }
  }
});
