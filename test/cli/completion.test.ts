// Completion: the script for bash in a bash of its own; those for other shells by what they name, and in
// their shells where they are installed.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wordsOf } from "../../src/cli/commands/completion.js";
import { programOn } from "../../src/cli/program.js";
import { processTerminal } from "../../src/cli/terminal.js";
import { nodeEnv } from "../../src/env/env.js";
import { findProgram } from "../remote/servers.js";
import { runCommand } from "./run-command.js";

let directory = "";
const commands = wordsOf(programOn(processTerminal(nodeEnv), () => {}));

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-completion-"));
  writeFileSync(join(directory, "store"), "");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function script(shell: string): Promise<string> {
  const { code, out } = await runCommand(["completion", shell]);
  expect(code).toBe(0);
  const file = join(directory, `anykv.${shell}`);
  writeFileSync(file, out);
  return file;
}

/** What bash offers for the last of some words. */
async function offered(...words: string[]): Promise<string[]> {
  const lines = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anykv
for word in "\${COMPREPLY[@]}"; do echo "$word"; done`;
  const args = ["-c", lines, await script("bash"), "anykv", ...words];
  const out = execFileSync("bash", args, { cwd: directory, encoding: "utf8" });
  return out.split("\n").filter((line) => line !== "");
}

describe("bash", () => {
  test("commands", async () => {
    expect(await offered("se")).toStrictEqual(["serve", "set"]);
    expect(await offered("")).toEqual(expect.arrayContaining(commands.map(({ name }) => name)));
    expect(await offered("help", "re")).toStrictEqual(["restore", "repair"]);
  });

  test("options of the command, and no others", async () => {
    expect(await offered("serve", "--http")).toStrictEqual([
      "--http",
      "--http-host",
      "--http-port",
    ]);
    expect(await offered("count", "--http")).toStrictEqual([]);
    expect(await offered("del", "--y")).toStrictEqual(["--yes"]);
  });

  test("names of files as they are", async () => {
    writeFileSync(join(directory, "two words.kv"), "");
    expect(await offered("count", "two")).toStrictEqual(["two words.kv"]);
  });

  test("values that are a choice, files elsewhere", async () => {
    expect(await offered("serve", "--backend", "")).toStrictEqual([
      "memory",
      "wal",
      "disk",
      "shared",
    ]);
    expect(await offered("completion", "")).toStrictEqual(["bash", "zsh", "fish"]);
    expect(await offered("get", "st")).toStrictEqual(["store"]);
    expect(await offered("serve", "--config", "st")).toStrictEqual(["store"]);
    expect(await offered("serve", "--port", "")).toStrictEqual([]);
  });
});

test.each(["bash", "zsh", "fish"])("the script for %s names everything", async (shell) => {
  const { out } = await runCommand(["completion", shell]);
  for (const { name, options } of commands) {
    expect(out).toContain(name);
    for (const { names } of options) {
      for (const option of names) {
        expect(out).toContain(shell === "fish" ? option.replace(/^-+/, "") : option);
      }
    }
  }
  const { error } = spawnSync(shell, ["--version"]);
  if (error !== undefined || findProgram(shell) === undefined) return;
  execFileSync(shell, ["-n", await script(shell)]);
});

test("another shell is refused, with those that there are: 2", async () => {
  const { code, error } = await runCommand(["completion", "tcsh"]);
  expect(code).toBe(2);
  expect(error).toContain("Allowed choices are bash, zsh, fish");
});
