// The command completion: a script for a shell, made of what the program itself knows.

import { type Command, Option } from "commander";
import { bashScript, type CommandWords, fishScript, zshScript } from "../completion-scripts.js";
import { addCommand, type CommandLine, reporting } from "../define-command.js";
import { exitCodes } from "../exit-codes.js";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

const completionText = {
  name: "completion",
  description: "Print a script that completes commands and options in a shell.",
  examples: [
    "anykv completion bash > ~/.local/share/bash-completion/completions/anykv",
    "anykv completion zsh > ~/.zfunc/_anykv",
    "anykv completion fish > ~/.config/fish/completions/anykv.fish",
  ],
};

export function addCompletion(line: CommandLine): void {
  const { program, terminal } = line;
  const command = addCommand(line, completionText);
  command.addArgument(command.createArgument("<shell>", "the shell").choices(Object.keys(scripts)));
  command.action((shell: keyof typeof scripts) =>
    reporting(line, {}, async () => {
      terminal.out(scripts[shell](wordsOf(program)));
      return exitCodes.fine;
    }),
  );
}

/** What can be said, as the program itself was told. */
export function wordsOf(program: Command): CommandWords[] {
  const help = new Option("-h, --help", "display help for command");
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [...command.options, help].map((option) => ({
      names: [option.short, option.long].filter((name) => typeof name === "string"),
      description: option.description,
      takesValue: option.required || option.optional,
      values: option.argChoices ?? [],
      isFile: /<(file|path)>/.test(option.flags),
    })),
    values: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  }));
}
