/** Scripts with which shells complete the names of commands and flags. */
import type { Command } from "commander";

/** A command as a shell completes it. */
export interface Completed {
  readonly name: string;
  readonly about: string;
  /** What may follow it: the names of those under it, and its flags. */
  readonly words: readonly { readonly word: string; readonly about: string }[];
}

export function completed(command: Command, about: string): Completed {
  const under = command.commands.map((inner) => ({ word: inner.name(), about: inner.description() }));
  const flags = [command, ...command.commands].flatMap(({ options }) =>
    options.map(({ long, short, description }) => ({ word: long ?? short ?? "", about: description })),
  );
  const words = [...under, ...flags, { word: "--help", about: "what it does" }];
  const distinct = new Map(words.map((word) => [word.word, word]));
  return { name: command.name(), about, words: [...distinct.values()] };
}

/** The script of each shell. */
export const SHELLS = {
  bash: (commands: readonly Completed[]) => `_lad() {
  local words
  if [ "$COMP_CWORD" -le 1 ]; then
    words="${names(commands)}"
  else
    case "\${COMP_WORDS[1]}" in
${commands.map(({ name, words }) => `      ${name}) words="${words.map(({ word }) => word).join(" ")}" ;;`).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _lad lad`,

  zsh: (commands: readonly Completed[]) => `_lad() {
  local -a known
  if (( CURRENT <= 2 )); then
    known=(${commands.map(({ name, about }) => described(name, about)).join(" ")})
  else
    case "$words[2]" in
${commands.map(({ name, words }) => `      ${name}) known=(${words.map(({ word, about }) => described(word, about)).join(" ")}) ;;`).join("\n")}
    esac
  fi
  _describe lad known || _files
}
compdef _lad lad`,

  fish: (commands: readonly Completed[]) =>
    commands
      .flatMap(({ name, about, words }) => [
        `complete -c lad -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
        ...words.map(({ word, about: what }) => {
          const kind = word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${word}`;
          return `complete -c lad -n '__fish_seen_subcommand_from ${name}' ${kind} -d ${quoted(what)}`;
        }),
      ])
      .join("\n"),
};

function names(commands: readonly Completed[]): string {
  return commands.map(({ name }) => name).join(" ");
}

/** As zsh's `_describe` takes it: a word, a colon, what it does. */
function described(word: string, about: string): string {
  return quoted(`${word}:${about.replaceAll(":", "\\:")}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
