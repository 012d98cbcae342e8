import { Command, InvalidArgumentError } from "commander";
import { type Experiment, formatExperiment, parseExperiment, recipeFor } from "../../index.js";
import { type Cli, print } from "../cli.js";
import { type ColumnFlags, DATA_HELP, namedData, withColumnFlags } from "../support/data.js";
import { followExperiment } from "../support/experiment.js";
import { stemOf } from "../support/library.js";
import { DEFAULT_BASE } from "../support/model.js";
import { assignments, collect, decimal, integer, integers, overlaid } from "../support/values.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

type Axes = NonNullable<Experiment["sweep"]>["axes"];

interface Flags extends WorkerFlags, ColumnFlags {
  readonly base: string;
  readonly ranks: number[];
  readonly axis?: Record<string, readonly unknown[]>;
  readonly steps?: number;
  readonly learningRate?: number;
  readonly questions: number;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly manifest?: string;
  readonly report?: string;
  readonly keep?: boolean;
  readonly yaml?: boolean;
  readonly json?: boolean;
}

/** `lad sweep` */
export function sweepCommand(cli: Cli): Command {
  return withWorkerFlags(
    withColumnFlags(new Command("sweep"))
      .argument("[data]", "what to learn (default: the questions that come with the small bases)")
      .option("-b, --base <base>", "stub, tiny, smollm2-135m, a hub id or a folder", DEFAULT_BASE)
      .option("-r, --ranks <list>", "ranks of LoRA's matrices", integers, [4, 16, 64])
      .option("--axis <path=list>", "values of another option, such as training.learningRate=1e-2,2e-2", axis)
      .option("-s, --steps <n>", "optimizer steps of each", integer)
      .option("--learning-rate <x>", "the peak of the schedule", decimal)
      .option("--questions <n>", "held-out questions that each answers; 0: all", integer, 100)
      .option(
        "--preset <recipe>",
        "settings of another base, lad: the method's own, or better: what won on tiny",
      )
      .option("--set <key=value>", "any other option of training; may be given again", collect)
      .option("--manifest <file>", "keeps what is done, so that the same command goes on")
      .option("--report <folder>", "writes a report")
      .option("--keep", "keep the adapters, each under a name of its own")
      .option("--yaml", "print the experiment's file, for `lad run`, and run nothing")
      .option("--json", "one line of JSON for each point"),
  )
    .addHelpText(
      "after",
      `
Examples:
  lad sweep --ranks 4,16,64 --report ranks
  lad sweep my-data --base smollm2-135m --axis training.learningRate=5e-3,1e-2 --manifest rates.json
  lad sweep --keep                                      then compare them: lad demo
  lad sweep --yaml > mine.yaml

Data is ${DATA_HELP}.`,
    )
    .action((data: string | undefined, flags: Flags) => sweep(cli, data, flags));
}

async function sweep(cli: Cli, data: string | undefined, flags: Flags): Promise<void> {
  const experiment = parseExperiment(formatExperiment(experimentOf(data, flags)));
  if (flags.yaml) {
    print(cli, formatExperiment(experiment).trimEnd());
    return;
  }
  await withWorker(cli, flags, ({ runtime }) =>
    followExperiment(cli, runtime, experiment, {
      json: flags.json === true,
      keepAs: flags.keep ? stemOf(flags.base) : undefined,
    }),
  );
}

function experimentOf(data: string | undefined, flags: Flags): Experiment {
  const { adapter, training, base, answerTokens, remask } = recipeFor(flags.base, flags.preset);
  const { train, heldout } = namedData(data, flags.base, flags);
  const { ranks, steps = training.steps, learningRate = training.learningRate, set = [] } = flags;
  const settings = {
    ...training,
    data: train,
    validation: heldout && { data: heldout },
    steps,
    learningRate,
  };
  const policies = [
    { kind: "remask", ...remask, iterations: 16 },
    { kind: "refine", iterations: 16 },
  ] as const;
  return {
    base: Object.keys(base).length === 0 ? flags.base : { name: flags.base, ...base },
    adapter: { ...adapter, rank: Math.max(...ranks), seed: 1 },
    training: overlaid(settings, set) as unknown as Experiment["training"],
    evaluation: heldout && {
      data: heldout,
      maxExamples: flags.questions,
      sampling: policies.map((policy) => ({ policy, answerTokens })),
    },
    sweep: {
      axes: { "adapter.rank": ranks, ...flags.axis } as Axes,
      ...(flags.manifest === undefined ? {} : { manifest: flags.manifest }),
    },
    ...(flags.report === undefined ? {} : { report: flags.report }),
  } as Experiment;
}

/** `path=a,b` adds an axis to those before. */
function axis(
  text: string,
  before: Record<string, readonly unknown[]> = {},
): Record<string, readonly unknown[]> {
  const [, path, list] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (path === undefined || list === undefined)
    throw new InvalidArgumentError("It must be path=value,value.");
  const values = list.split(",").map((value) => assignments([`value=${value}`]).value);
  return { ...before, [path]: values };
}
