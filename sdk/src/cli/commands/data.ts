import { Command } from "commander";
import { type InspectOptions, recipeFor } from "../../index.js";
import { inspectionText } from "../../report/index.js";
import { type Cli, columnsOf, printJson, printText } from "../cli.js";
import { type ColumnFlags, DATA_HELP, namedData, withColumnFlags } from "../support/data.js";
import { loadBase } from "../support/loading.js";
import { DEFAULT_BASE } from "../support/model.js";
import { integer, kind } from "../support/values.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ColumnFlags {
  readonly base: string;
  readonly windowTokens?: number;
  readonly noise?: InspectOptions["noise"];
  readonly shown: number;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  lad data inspect my-data
  lad data inspect chats.jsonl --base smollm2-135m --window-tokens 256`;

/** `lad data` */
export function dataCommand(cli: Cli): Command {
  const command = new Command("data").addHelpText("after", EXAMPLES);
  withWorkerFlags(
    withColumnFlags(command.command("inspect [data]"))
      .description("what training would see of data, before an hour is spent on it")
      .option("-b, --base <base>", "whose tokens and chat template", DEFAULT_BASE)
      .option("--window-tokens <n>", "the longest prompt and answer together, in tokens", integer)
      .option("--noise <noise>", "how answers are corrupted", kind)
      .option("--shown <n>", "how many examples are shown", integer, 3)
      .option("--json", "all that is known, as JSON"),
  )
    .addHelpText("after", `${EXAMPLES}\n\nData is ${DATA_HELP}.`)
    .action((data: string | undefined, flags: Flags) => inspect(cli, data, flags));
  return command;
}

async function inspect(cli: Cli, data: string | undefined, flags: Flags): Promise<void> {
  const { training, ...recipe } = recipeFor(flags.base);
  const { windowTokens = training.windowTokens, noise = training.noise, shown } = flags;
  const { train } = namedData(data, flags.base, flags);
  await withWorker(cli, flags, async ({ runtime }) => {
    const base = await loadBase(cli, runtime, flags.base, { training, ...recipe });
    const { maxPromptTokens, loss } = training;
    const inspection = await base.inspect(train, {
      windowTokens,
      maxPromptTokens: flags.windowTokens === undefined ? maxPromptTokens : undefined,
      noise,
      loss,
      shownExamples: shown,
      signal: cli.leaving.signal,
    });
    if (flags.json) printJson(cli, inspection);
    else printText(cli, inspectionText(inspection, { columns: columnsOf(cli.stdout) }));
  });
}
