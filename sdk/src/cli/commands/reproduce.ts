import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import {
  arcChallenge,
  arcEasy,
  type Benchmark,
  type BenchmarkOptions,
  gsm8k,
  hellaswag,
  isLadError,
  type JudgedClaim,
  jsonl,
  mmlu,
  type Reproduction,
  type ReproductionBenchmarks,
  type ReproductionData,
  type ReproductionOptions,
  type ReproductionPlan,
  type Runtime,
  reproduceLad,
} from "../../index.js";
import { bytes, duration, number, renderTable } from "../../report/index.js";
import { type Cli, columnsOf, note, printJson, printText } from "../cli.js";
import { TrainingBars } from "../support/training-bars.js";
import { decimal, integer, integers, words } from "../support/values.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly out: string;
  readonly bases?: string[];
  readonly ranks?: number[];
  readonly steps?: number;
  readonly questions?: number;
  readonly preset?: string;
  readonly minutes?: number;
  readonly quick?: boolean;
  readonly paper?: boolean;
  readonly plan?: boolean;
  readonly json?: boolean;
}

/** The paper's own runs: six variants, 118,875 steps of 8 examples. */
const PAPER = {
  bases: [
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
  ],
  ranks: [512, 1024],
  steps: 118_875,
  preset: "lad",
};
/** The longest that a timer takes, 24 days. */
const MOST_MILLISECONDS = 2 ** 31 - 1;
const QUICK = { steps: 200, questions: 40, iterations: [1, 4, 16, 64] };

const EXAMPLES = `
Examples:
  lad reproduce --quick                 few steps and questions, to see it work
  lad reproduce --plan                  what it would take, and what it would write
  lad reproduce --minutes 60            again and again, until all is done
  lad reproduce data --paper --device cuda

What is measured is kept in the folder: after a Ctrl-C, or --minutes, the same command goes on. [data] is a folder with train.jsonl,
validation.jsonl, easy.jsonl and arithmetic.jsonl; of arc_easy, arc_challenge, mmlu, hellaswag and gsm8k.jsonl, in the schemas of the
hub, those that stand there are asked too.`;

/** `lad reproduce` */
export function reproduceCommand(cli: Cli): Command {
  return withWorkerFlags(
    new Command("reproduce")
      .argument("[data]", "training data and questions (default: those that come with the small bases)")
      .option("-o, --out <folder>", "keeps what is trained, measured and reported", "reproduction")
      .option("--bases <list>", "from the smallest to the largest (default: tiny-0.7m,tiny,tiny-5m)", words)
      .option("--ranks <list>", "from the lowest to the highest (default: 16,64)", integers)
      .option("-s, --steps <n>", "optimizer steps of each variant", integer)
      .option("--questions <n>", "questions of each set", integer)
      .option(
        "--preset <recipe>",
        "settings of another base, lad: the method's own, or better: what won on tiny",
      )
      .option("--minutes <x>", "stop after so many; the same command goes on", decimal)
      .option("--quick", "few steps and questions, to see it work")
      .option("--paper", "the paper's bases, ranks and steps")
      .option("--plan", "tell what it would take and write, and write nothing")
      .option("--json", "the plan, or the verdicts, as lines of JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action((data: string | undefined, flags: Flags) =>
      withWorker(cli, flags, async ({ runtime }) => {
        const reproduction = reproduceLad(optionsOf(data, flags));
        if (flags.plan) await plan(cli, reproduction, runtime, flags);
        else await reproduce(cli, reproduction, runtime, { ...flags, command: commandText(data, flags) });
      }),
    );
}

function optionsOf(data: string | undefined, flags: Flags): ReproductionOptions {
  const { bases, steps, questions, preset } = flags;
  const given = { bases, ranks: flags.ranks, steps, questions, preset };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    folder: flags.out,
    ...(flags.paper ? PAPER : {}),
    ...(flags.quick ? QUICK : {}),
    ...named,
    ...(data === undefined ? {} : { data: dataOf(data), benchmarks: benchmarksOf(data, questions) }),
  };
}

function dataOf(folder: string): ReproductionData {
  const file = (name: string) => jsonl(join(folder, `${name}.jsonl`));
  return {
    train: file("train"),
    validation: file("validation"),
    easy: file("easy"),
    arithmetic: file("arithmetic"),
  };
}

/** The benchmarks whose files stand in the folder. */
function benchmarksOf(folder: string, limit = 200): ReproductionBenchmarks {
  const asked = (name: string, benchmark: (options: BenchmarkOptions) => Benchmark) => {
    const file = join(folder, `${name}.jsonl`);
    return existsSync(file) ? [benchmark({ data: jsonl(file), limit })] : [];
  };
  return {
    easy: [
      ...asked("arc_easy", arcEasy),
      ...asked("arc_challenge", arcChallenge),
      ...asked("mmlu", mmlu),
      ...asked("hellaswag", hellaswag),
    ],
    arithmetic: asked("gsm8k", gsm8k),
  };
}

async function plan(cli: Cli, reproduction: Reproduction, runtime: Runtime, { json }: Flags): Promise<void> {
  const planned = await reproduction.plan(runtime);
  if (json) printJson(cli, planned);
  else printText(cli, planText(planned, columnsOf(cli.stdout)));
}

async function reproduce(
  cli: Cli,
  reproduction: Reproduction,
  runtime: Runtime,
  flags: Flags & { readonly command: string },
): Promise<void> {
  const isWhole = await measured(cli, reproduction, runtime, flags);
  const judged = reproduction.judge();
  if (flags.json) for (const claim of judged) printJson(cli, claim);
  else for (const claim of judged) printText(cli, verdictText(claim));
  const { html } = await reproduction.report(flags.command);
  note(cli, `The report: ${html}`);
  if (!isWhole) note(cli, `What is done is kept in ${flags.out}: the same command goes on.`);
}

/** Measures piece after piece; false if it was left before the last. */
async function measured(
  cli: Cli,
  reproduction: Reproduction,
  runtime: Runtime,
  { minutes = 0 }: Flags,
): Promise<boolean> {
  const bars = new TrainingBars(cli);
  const late =
    minutes > 0 ? [AbortSignal.timeout(Math.min(Math.ceil(60_000 * minutes), MOST_MILLISECONDS))] : [];
  const signal = AbortSignal.any([cli.leaving.signal, ...late]);
  const pieces = reproduction.run(runtime, {
    signal,
    onEvent: (event, label) => bars.draw(label, reproduction.steps, event),
  });
  try {
    for await (const { name, done, total, seconds, resumed, error } of pieces) {
      bars.finish();
      if (!resumed) note(cli, `${done}/${total} ${name}: ${error?.message ?? duration(seconds)}`);
    }
    return true;
  } catch (error) {
    if (signal.aborted && isLadError(error, "cancelled")) return false;
    throw error;
  }
}

function verdictText({ id, title, findings }: JudgedClaim): string {
  const found = findings.map(({ claim, holds, figure, unit }) => {
    const word = holds === undefined ? "undecided" : holds ? "holds" : "does not hold";
    const [low, high] = figure.interval.map((end) => number(end));
    return `    ${word}: ${claim}: ${number(figure.value)} [${low}, ${high}] ${unit}`;
  });
  return [`(${id}) ${title}`, ...found].join("\n");
}

function planText(
  { bases, tokens, steps, seconds, bytes: memory, writes }: ReproductionPlan,
  columns: number,
): string {
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
    columns,
  );
  return [
    table,
    "",
    `${number(steps)} steps for each variant, ${number(tokens)} tokens in all: about ${duration(seconds)} on this machine.`,
    `At least ${bytes(memory)} of memory at once, beside activations.`,
    ...Object.entries(writes).map(([path, what]) => `${path}: ${what}`),
  ].join("\n");
}

/** The command as the report tells it, without the flags that are of this sitting alone. */
function commandText(data: string | undefined, flags: Flags): string {
  const told: [string, unknown][] = [
    ["--out", flags.out === "reproduction" ? undefined : flags.out],
    ["--bases", flags.bases?.join(",")],
    ["--ranks", flags.ranks?.join(",")],
    ["--steps", flags.steps],
    ["--questions", flags.questions],
    ["--preset", flags.preset],
  ];
  const switches = [...(flags.quick ? ["--quick"] : []), ...(flags.paper ? ["--paper"] : [])];
  const values = told.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`]));
  return ["lad reproduce", ...(data === undefined ? [] : [data]), ...switches, ...values].join(" ");
}
