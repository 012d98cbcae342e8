import { resolve } from "node:path";
import { Command } from "commander";
import type { MergeOptions, MergeProgress } from "../../../index.js";
import { bytes } from "../../../report/index.js";
import { type Cli, note, printJson } from "../../cli.js";
import { CountBar } from "../../support/count-bar.js";
import { withModel } from "../../support/model.js";
import { choice, integer } from "../../support/values.js";
import { type WorkerFlags, withWorkerFlags } from "../../support/worker.js";

interface Flags extends WorkerFlags {
  readonly base?: string;
  readonly dtype?: NonNullable<MergeOptions["dataType"]>;
  readonly shardBytes?: number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
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
      .option(
        "--dtype <type>",
        `of the weights: ${TYPES.join(", ")} (default: the base's in memory)`,
        choice(TYPES),
      )
      .option("--shard-bytes <n>", "the most bytes of tensors in one file (default: 5000000000)", integer)
      .option("--overwrite", "replace what was merged there before")
      .option("--json", "the adapter and the folder as a line of JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action((adapter: string, folder: string, flags: Flags) => merged(cli, adapter, folder, flags));
}

async function merged(cli: Cli, name: string, folder: string, flags: Flags): Promise<void> {
  const { base, dtype, shardBytes, overwrite = false } = flags;
  const asked = { adapter: name, ...(base === undefined ? {} : { base }) };
  const bar = new CountBar(cli, bytes);
  await withModel(cli, { ...flags, ...asked }, async ({ adapter }) => {
    const { signal } = cli.leaving;
    const onProgress = ({ doneBytes, totalBytes }: MergeProgress) => bar.update(name, doneBytes, totalBytes);
    const how = { dataType: dtype, maxShardBytes: shardBytes, overwrite, onProgress, signal };
    await adapter?.merge(folder, how).finally(() => bar.finish());
  });
  if (flags.json) printJson(cli, { name, folder: resolve(folder) });
  note(cli, `${name} is merged into ${folder}. Its README.md says how it is used.`);
}
