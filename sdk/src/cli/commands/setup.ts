import { Command } from "commander";
import { parseGroups } from "../../setup/groups.js";
import { locateRuntime } from "../../setup/locate.js";
import { setUp } from "../../setup/set-up.js";
import { type Cli, note, printJson } from "../cli.js";

/** `lad setup` */
export function setupCommand(cli: Cli): Command {
  return new Command("setup")
    .option(
      "--with <groups>",
      "more packages than a worker needs: data, smollm2, lm-eval, tensorboard, dev (commas between them)",
      "",
    )
    .option("--json", "the environment's folder and its packages' groups as a line of JSON")
    .addHelpText("after", "\nExample:\n  lad setup --with smollm2,tensorboard")
    .action(async (options: { with: string; json?: boolean }) => {
      const groups = parseGroups(options.with);
      await setUp({ groups, log: (line) => note(cli, `lad: ${line}`) });
      const { environmentFolder } = locateRuntime();
      if (options.json) printJson(cli, { environmentFolder, groups });
      note(cli, `The worker's environment is ready: ${environmentFolder}. \`lad train\` makes an adapter.`);
    });
}
