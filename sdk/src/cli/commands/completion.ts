import { Command } from "commander";
import { type Cli, print } from "../cli.js";
import { type Completed, SHELLS } from "../support/completions.js";
import { choice } from "../support/values.js";

const EXAMPLES = `
Examples:
  eval "$(lad completion bash)"          in ~/.bashrc
  eval "$(lad completion zsh)"           in ~/.zshrc
  lad completion fish | source           in ~/.config/fish/config.fish

What it prints is for the shell, so it has no --json.`;

/** `lad completion`; `commands` gives every command with its flags. */
export function completionCommand(cli: Cli, commands: () => Promise<readonly Completed[]>): Command {
  const shells = Object.keys(SHELLS) as (keyof typeof SHELLS)[];
  return new Command("completion")
    .argument("<shell>", shells.join(", "), choice(shells))
    .addHelpText("after", EXAMPLES)
    .action(async (shell: keyof typeof SHELLS) => print(cli, SHELLS[shell](await commands())));
}
