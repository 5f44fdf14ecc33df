// Completion scripts for bash, zsh and fish.
//
// Where a command takes a store or a file, the shell completes names of files. Nothing is asked of the
// program when a key is pressed: the scripts hold all they need, and are made anew with each version.

export interface OptionWords {
  /** As in ["-y", "--yes"]. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** All that it may be; empty: anything. */
  readonly values: readonly string[];
  readonly isFile: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** All that its arguments may be; empty: files. */
  readonly values: readonly string[];
}

const made = "made by `anykv completion`";

export function bashScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map((command) => {
    const options = command.options.flatMap((option) => option.names).join(" ");
    return `    ${command.name}) options="${options}"; values="${command.values.join(" ")}" ;;`;
  });
  return `# bash completion of anykv, ${made}
_anykv() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" options="" values=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} help --help --version" -- "$word"))
    return
  fi
  case "$command" in
    help) options=""; values="${names}" ;;
${cases.join("\n")}
  esac
  case "$command $before" in
${bashValues(commands).join("\n")}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$word"))
  else
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -o bashdefault -F _anykv anykv
`;
}

function bashValues(commands: readonly CommandWords[]): string[] {
  return commands.flatMap(({ name, options }) =>
    options
      .filter(({ takesValue, isFile }) => takesValue && !isFile)
      .map(({ names, values }) => {
        const pattern = names.map((option) => `"${name} ${option}"`).join("|");
        const reply = `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word"))`;
        return `    ${pattern}) ${reply}; return ;;`;
      }),
  );
}

/** In single quotes; brackets and colons mean something to zsh. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:\\]/g, "\\$&");
}

export function zshScript(commands: readonly CommandWords[]): string {
  const described = commands.map(
    ({ name, description }) => `    '${name}:${zshText(description)}'`,
  );
  const cases = commands.map((command) => {
    const specs = [
      ...command.options.flatMap(zshOption),
      command.values.length > 0 ? `'*:value:(${command.values.join(" ")})'` : "'*:file:_files'",
    ];
    return `    ${command.name}) _arguments ${specs.join(" \\\n      ")} ;;`;
  });
  return `#compdef anykv
# zsh completion of anykv, ${made}
_anykv() {
  local -a commands
  commands=(
${described.join("\n")}
    'help:Show the help of a command'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
    help) _describe command commands ;;
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_anykv" ]; then _anykv "$@"; else compdef _anykv anykv; fi
`;
}

function zshOption({ names, description, takesValue, values, isFile }: OptionWords): string[] {
  const action = isFile ? "_files" : values.length > 0 ? `(${values.join(" ")})` : "";
  const value = takesValue ? `:value:${action}` : "";
  return names.map((name) => `'${name}[${zshText(description)}]${value}'`);
}

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

export function fishScript(commands: readonly CommandWords[]): string {
  const lines = [`# fish completion of anykv, ${made}`];
  const names = commands.map(({ name }) => name);
  const none = `not __fish_seen_subcommand_from ${names.join(" ")} help`;
  for (const { name, description, options, values } of commands) {
    const within = `-n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c anykv -f -n '${none}' -a ${name} -d ${fishText(description)}`);
    if (values.length > 0) lines.push(`complete -c anykv -f ${within} -a '${values.join(" ")}'`);
    else lines.push(`complete -c anykv -F ${within}`);
    for (const option of options) lines.push(`complete -c anykv ${within} ${fishOption(option)}`);
  }
  lines.push(
    `complete -c anykv -f -n '${none}' -a help -d 'Show the help of a command'`,
    `complete -c anykv -f -n '__fish_seen_subcommand_from help' -a '${names.join(" ")}'`,
  );
  return `${lines.join("\n")}\n`;
}

function fishOption({ names, description, takesValue, values, isFile }: OptionWords): string {
  const parts = names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  if (takesValue) parts.push(isFile ? "-r -F" : "-x");
  if (values.length > 0) parts.push(`-a '${values.join(" ")}'`);
  return `${parts.join(" ")} -d ${fishText(description)}`;
}
