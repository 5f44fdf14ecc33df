// The reference in docs/cli.md, made of what the program itself knows.

import type { Command, Option } from "commander";

export function cliReference(program: Command): string {
  return program.commands.map(section).join("\n\n");
}

function section(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    return argument.required ? `<${argument.name()}>` : `[${argument.name()}${dots(argument)}]`;
  });
  const usage = ["anykv", command.name(), ...words, "[options]"].join(" ");
  const parts = [`### ${command.name()}`, command.description(), `\`${usage}\``];
  const lines = [
    ...command.registeredArguments.map((argument) => {
      const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
      return row(name, argument.description, argument.argChoices);
    }),
    ...command.options.map(optionRow),
  ];
  return [...parts, ["| | |", "|---|---|", ...lines].join("\n")].join("\n\n");
}

function dots({ variadic }: { readonly variadic: boolean }): string {
  return variadic ? "..." : "";
}

function optionRow({ flags, description, defaultValue, argChoices }: Option): string {
  const isNegation = flags.startsWith("--no-");
  const standard = defaultValue === undefined || isNegation ? "" : ` (default ${defaultValue})`;
  return row(flags, description + standard, argChoices);
}

function row(name: string, description: string, choices: readonly string[] | undefined): string {
  const among = choices === undefined ? "" : `: ${choices.map((one) => `\`${one}\``).join(", ")}`;
  return `| \`${name}\` | ${(description + among).replaceAll("|", "\\|")} |`;
}
