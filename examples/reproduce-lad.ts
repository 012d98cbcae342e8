/**
 * Measures every claim of the LAD paper, and writes a report with a verdict for each: in miniature on the shipped bases, or as the
 * paper ran it.
 *
 *     npx tsx examples/reproduce-lad.ts [--quick] [--plan] [--out reproduction] [--steps 3000] [--questions 200] [--minutes 60]
 *         [--bases tiny-0.7m,tiny,tiny-5m] [--ranks 16,64] [--device cpu | cuda] [--data folder] [--preset lad] [--paper]
 *
 * What is measured is kept in the folder: interrupted, or stopped by --minutes, the same command goes on. `--quick` takes few steps and
 * questions, to see it work. `--plan` tells what it would take and write, and writes nothing.
 *
 * `--data` is a folder with train.jsonl, validation.jsonl, easy.jsonl and arithmetic.jsonl. Of arc_easy.jsonl, arc_challenge.jsonl,
 * mmlu.jsonl, hellaswag.jsonl and gsm8k.jsonl, in the schemas of the hub, it asks those that stand there too. The paper's own run is
 * `--paper --device cuda --data folder`, or `--paper --base meta-llama/Llama-3.2-1B-Instruct …` of one of its bases: ranks 512 and 1,024,
 * 118,875 steps of 8 examples.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  arcChallenge,
  arcEasy,
  type Benchmark,
  type BenchmarkOptions,
  gsm8k,
  hellaswag,
  isLadError,
  jsonl,
  mmlu,
  type ReproductionPlan,
  Runtime,
  reproduceLad,
} from "lad";
import { bytes, duration, LiveBlock, number, progressLine, renderTable } from "lad/report";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  quick: { type: "boolean", default: false },
  plan: { type: "boolean", default: false },
  paper: { type: "boolean", default: false },
  out: { type: "string", default: "reproduction" },
  steps: { type: "string" },
  questions: { type: "string" },
  minutes: { type: "string" },
  base: { type: "string" },
  bases: { type: "string" },
  ranks: { type: "string" },
  device: { type: "string", default: "cpu" },
  data: { type: "string" },
  preset: { type: "string" },
});
const paper = {
  bases: [
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
  ],
  ranks: [512, 1024],
  steps: 118_875,
  preset: "lad",
};
const quick = values.quick ? { steps: 200, questions: 40, iterations: [1, 4, 16, 64] } : {};
const { data: folder, bases = values.base } = values;
const file = (name: string) => jsonl(join(folder ?? "", `${name}.jsonl`));
const asked = (benchmark: (options: BenchmarkOptions) => Benchmark, name: string) =>
  folder === undefined || !existsSync(join(folder, `${name}.jsonl`))
    ? []
    : [benchmark({ data: file(name), limit: Number(values.questions ?? 200) })];
const reproduction = reproduceLad({
  ...(values.paper ? paper : {}),
  ...quick,
  folder: values.out,
  ...(bases === undefined ? {} : { bases: bases.split(",") }),
  ...(values.ranks === undefined ? {} : { ranks: values.ranks.split(",").map(Number) }),
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  ...(values.questions === undefined ? {} : { questions: Number(values.questions) }),
  ...(values.preset === undefined ? {} : { preset: values.preset }),
  data:
    folder === undefined
      ? undefined
      : {
          train: file("train"),
          validation: file("validation"),
          easy: file("easy"),
          arithmetic: file("arithmetic"),
        },
  benchmarks: {
    easy: [
      ...asked(arcEasy, "arc_easy"),
      ...asked(arcChallenge, "arc_challenge"),
      ...asked(mmlu, "mmlu"),
      ...asked(hellaswag, "hellaswag"),
    ],
    arithmetic: asked(gsm8k, "gsm8k"),
  },
});
await using runtime = await Runtime.start({ device: values.device as "cpu" | "cuda" });
if (values.plan) console.log(planText(await reproduction.plan(runtime)));
else await reproduce();

async function reproduce(): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const limit = values.minutes && setTimeout(() => stop.abort(), 60_000 * Number(values.minutes));
  const live = new LiveBlock();
  try {
    const pieces = reproduction.run(runtime, {
      signal: stop.signal,
      onEvent: (event, piece) => {
        if (event.type !== "step") return;
        const { step, tokensPerSecond, report } = event;
        const { steps } = reproduction;
        const progress = { label: piece, step, steps, loss: report.loss, tokensPerSecond };
        live.update([progressLine(progress, live.columns)]);
      },
    });
    for await (const { name, done, total, seconds, resumed, error } of pieces) {
      live.finish();
      if (!resumed) console.error(`${done}/${total} ${name}: ${error?.message ?? duration(seconds)}`);
    }
  } catch (error) {
    if (!isLadError(error, "cancelled")) throw error;
    console.error(`Stopped. What is done is kept in ${values.out}: the same command goes on.`);
  } finally {
    clearTimeout(limit || undefined);
  }
  for (const { id, title, findings } of reproduction.judge()) {
    console.log(`(${id}) ${title}`);
    for (const { claim, holds, figure, unit } of findings) {
      const word = holds === undefined ? "undecided" : holds ? "holds" : "does not hold";
      const [low, high] = figure.interval.map((end) => number(end));
      console.log(`    ${word}: ${claim}: ${number(figure.value)} [${low}, ${high}] ${unit}`);
    }
  }
  const command = `npx tsx examples/reproduce-lad.ts ${process.argv.slice(2).join(" ")}`;
  const { html } = await reproduction.report(command.trim());
  console.log(`\nThe report: ${html}`);
}

function planText({ bases, tokens, steps, seconds, bytes: memory, writes }: ReproductionPlan): string {
  const table = renderTable(
    [
      { header: "base", cell: ({ base }) => base },
      { header: "parameters", cell: ({ parameters }) => number(parameters) },
      { header: "variants", cell: ({ variants }) => String(variants) },
      { header: "tokens each", cell: (base) => number(base.tokens) },
      { header: "a step", cell: ({ stepSeconds }) => `${(1000 * stepSeconds).toFixed(0)} ms` },
      { header: "training", cell: ({ trainingSeconds }) => duration(trainingSeconds) },
      { header: "answers", cell: ({ answeringSeconds }) => duration(answeringSeconds) },
      { header: "memory", cell: (base) => bytes(base.bytes) },
    ],
    bases,
  );
  return [
    table,
    "",
    `${number(steps)} steps for each variant, ${number(tokens)} tokens in all: about ${duration(seconds)} on this machine.`,
    `At least ${bytes(memory)} of memory at once, beside activations.`,
    ...Object.entries(writes).map(([path, what]) => `${path}: ${what}`),
  ].join("\n");
}
