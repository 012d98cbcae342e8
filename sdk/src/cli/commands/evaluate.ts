import { Command } from "commander";
import type { Estimate, Evaluation, EvaluationProgress } from "../../index.js";
import { type Column, number, percent } from "../../report/index.js";
import { type Cli, printJson, printTable } from "../cli.js";
import { CountBar } from "../support/count-bar.js";
import { type ColumnFlags, DATA_HELP, namedData, withColumnFlags } from "../support/data.js";
import { type Asked, type ModelFlags, withModel, withModelFlags } from "../support/model.js";
import {
  checkSampling,
  type SamplingFlags,
  samplingOptions,
  withSamplingFlags,
} from "../support/sampling.js";
import { integer } from "../support/values.js";
import { type WorkerFlags, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ModelFlags, SamplingFlags, ColumnFlags {
  readonly questions: number;
  readonly json?: boolean;
}

interface Row {
  readonly model: string;
  readonly measures: Omit<Evaluation, "answers" | "items">;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: "model", align: "left", cell: ({ model }) => model },
  { header: "exact match", cell: ({ measures }) => bounds(measures.exactMatch, percent) },
  { header: "perplexity", cell: ({ measures }) => bounds(measures.perplexity, number) },
  { header: "distinct-2", cell: ({ measures }) => bounds(measures.distinct2, number) },
  { header: "tokens/s", cell: ({ measures }) => number(measures.tokensPerSecond) },
];

/** `lad evaluate` */
export function evaluateCommand(cli: Cli): Command {
  const command = new Command("evaluate")
    .argument("[data]", "questions with their right answers (default: the held-out ones of the small bases)")
    .option("--questions <n>", "how many, from the first on; 0: all", integer, 100)
    .option("--json", "one line of JSON for each model");
  return withWorkerFlags(withModelFlags(withSamplingFlags(withColumnFlags(command))))
    .addHelpText(
      "after",
      `
Examples:
  lad evaluate --policy threshold:iterations=16
  lad evaluate my-data --adapter mine --questions 0

Data is ${DATA_HELP}; of a folder, validation.jsonl.
The base answers the same questions token after token. In brackets: 95 % intervals.`,
    )
    .action((data: string | undefined, flags: Flags) => evaluate(cli, data, flags));
}

async function evaluate(cli: Cli, data: string | undefined, flags: Flags): Promise<void> {
  await withModel(
    cli,
    flags,
    async (asked) => {
      const rows = await measured(cli, data, flags, asked);
      if (flags.json) for (const row of rows) printJson(cli, measuresOf(row));
      else printTable(cli, COLUMNS, rows);
    },
    (chosen) => {
      namedData(data, chosen.baseName, flags);
      checkSampling(flags, chosen);
    },
  );
}

/** The model's measures, and beside an adapter's those of its base. */
async function measured(cli: Cli, data: string | undefined, flags: Flags, asked: Asked): Promise<Row[]> {
  const { base, adapter, model, name, recipe } = asked;
  const { train, heldout = train } = namedData(data, base.name, flags);
  const { windowTokens, maxPromptTokens = 0 } = recipe.training;
  const { signal } = cli.leaving;
  const limit = flags.questions;
  const items = await base.questions(heldout, { windowTokens, maxPromptTokens, limit, signal });
  const answerTokens = flags.answerTokens ?? recipe.answerTokens ?? windowTokens;
  const own = samplingOptions(flags, asked);
  const alone = adapter === undefined ? { answerTokens } : {};
  const bar = new CountBar(cli);
  const drawn = (label: string) => ({
    items,
    signal,
    onProgress: ({ done, total }: EvaluationProgress) => bar.update(label, done, total),
  });
  try {
    const measures = await model.evaluate({ ...own, ...alone, ...drawn(name), seed: flags.seed });
    if (adapter === undefined) return [{ model: name, measures }];
    const { stop, timeoutMs } = own; // what it is compared by
    const plain = { policy: "ar", answerTokens, stop, timeoutMs } as const;
    return [
      { model: name, measures },
      { model: base.name, measures: await base.evaluate({ ...plain, ...drawn(base.name) }) },
    ];
  } finally {
    bar.finish();
  }
}

/** What is told of a model, without its answers. */
function measuresOf({ model, measures }: Row): object {
  const { answers: _, items: __, ...told } = measures as Evaluation;
  return { model, ...told };
}

function bounds({ value, interval: [low, high] }: Estimate, form: (value: number) => string): string {
  return Number.isNaN(low) ? form(value) : `${form(value)} [${form(low)}, ${form(high)}]`;
}
