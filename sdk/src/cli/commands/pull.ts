import { Command } from "commander";
import { recipeFor } from "../../index.js";
import { bytes } from "../../report/index.js";
import { setUp } from "../../setup/set-up.js";
import { type Cli, note, printJson } from "../cli.js";
import { loadBase } from "../support/loading.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

/** `lad pull` */
export function pullCommand(cli: Cli): Command {
  return withWorkerFlags(new Command("pull").argument("<base>", "a hub id, or smollm2-135m"))
    .option("--json", "what is known of the base, as a line of JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  lad pull smollm2-135m\n  lad pull meta-llama/Llama-3.2-1B-Instruct     with HF_TOKEN set, for a gated one\n\nWhat is there is not fetched again: after a Ctrl-C the same command goes on, also within a file.",
    )
    .action(async (name: string, flags: WorkerFlags & { json?: boolean }) => {
      if (name === "smollm2-135m") {
        await setUp({ groups: ["core", "smollm2"], log: (line) => note(cli, `lad: ${line}`) });
      }
      await withWorker(cli, flags, async ({ runtime }) => {
        const base = await loadBase(cli, runtime, name, recipeFor(name));
        if (flags.json) printJson(cli, base.info);
        const { parameterCount, revision } = base.info;
        const size = parameterCount.toLocaleString("en-US");
        note(
          cli,
          `${name} is here: ${size} parameters, revision ${revision}, ${bytes(base.info.bytes)} in memory.`,
        );
      });
    });
}
