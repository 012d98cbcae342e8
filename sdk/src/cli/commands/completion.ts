import { Command } from "commander";
import { LadError } from "../../index.js";
import { type Cli, print } from "../cli.js";
import { type Completed, SHELLS } from "../support/completions.js";

/** `lad completion`; `commands` gives every command with its flags. */
export function completionCommand(cli: Cli, commands: () => Promise<readonly Completed[]>): Command {
  return new Command("completion")
    .argument("<shell>", Object.keys(SHELLS).join(", "))
    .addHelpText(
      "after",
      '\nExamples:\n  eval "$(lad completion bash)"          in ~/.bashrc\n  eval "$(lad completion zsh)"           in ~/.zshrc\n  lad completion fish | source           in ~/.config/fish/config.fish',
    )
    .action(async (shell: string) => {
      const script = SHELLS[shell];
      if (script === undefined) {
        throw new LadError("invalid-option", `shell is ${shell}: there are no completions for it.`, {
          option: "shell",
          value: shell,
          remedy: `Give one of ${Object.keys(SHELLS).join(", ")}.`,
        });
      }
      print(cli, script(await commands()));
    });
}
