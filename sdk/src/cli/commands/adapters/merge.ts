import { Command, Option } from "commander";
import type { MergeOptions } from "../../../index.js";
import { type Cli, note } from "../../cli.js";
import { withModel } from "../../support/model.js";
import { integer } from "../../support/values.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../../support/worker.js";

interface Flags extends WorkerFlags {
  readonly base?: string;
  readonly dtype?: NonNullable<MergeOptions["dataType"]>;
  readonly shardBytes?: number;
  readonly overwrite?: boolean;
}

const TYPES = ["auto", "float32", "bfloat16", "float16"] as const;

const EXAMPLES = `
Examples:
  lad adapters merge capitals ./merged                      loads with transformers; its card says how
  lad adapters merge capitals ./merged --dtype bfloat16     half the size of float32`;

/** `lad adapters merge` */
export function mergeCommand(cli: Cli): Command {
  return withWorkerFlags(
    new Command("merge")
      .argument("<adapter>", "a trained adapter, or its folder")
      .argument("<folder>", "where the model is written")
      .description("write a whole model with the adapter in its weights, for transformers")
      .option("-b, --base <base>", "the base that it is merged into (default: the adapter's own)")
      .addOption(
        new Option("--dtype <type>", "of the weights (default: the base's in memory)").choices(TYPES),
      )
      .option("--shard-bytes <n>", "the most bytes of tensors in one file (default: 5000000000)", integer)
      .option("--overwrite", "replace what was merged there before"),
  )
    .addHelpText("after", EXAMPLES)
    .action((adapter: string, folder: string, flags: Flags) => merged(cli, adapter, folder, flags));
}

async function merged(cli: Cli, name: string, folder: string, flags: Flags): Promise<void> {
  const { base, dtype, shardBytes, overwrite = false } = flags;
  const asked = { adapter: name, ...(base === undefined ? {} : { base }) };
  await withWorker(cli, flags, ({ runtime }) =>
    withModel(cli, runtime, asked, async ({ adapter }) => {
      const { signal } = cli.leaving;
      await adapter?.merge(folder, { dataType: dtype, maxShardBytes: shardBytes, overwrite, signal });
    }),
  );
  note(cli, `${name} is merged into ${folder}. Its README.md says how it is used.`);
}
