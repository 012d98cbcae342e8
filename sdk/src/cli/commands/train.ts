import { Command, Option } from "commander";
import {
  type Adapter,
  LadError,
  type Recipe,
  type Run,
  type Runtime,
  recipeFor,
  type TrainingOptions,
} from "../../index.js";
import { type Cli, note } from "../cli.js";
import { type ColumnFlags, DATA_HELP, namedData, withColumnFlags } from "../support/data.js";
import { checkName, freeName, libraryFolder, stemOf } from "../support/library.js";
import { loadBase } from "../support/loading.js";
import { DEFAULT_BASE, dropQuietly } from "../support/model.js";
import { bestOf, followTraining } from "../support/training.js";
import { noteTraining } from "../support/trainings.js";
import { collect, decimal, integer, kind, overlaid, seed, share, words } from "../support/values.js";
import { type WorkerFlags, withKeeper, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ColumnFlags {
  readonly base: string;
  readonly name?: string;
  readonly from?: string;
  readonly rank: number;
  readonly alpha?: number;
  readonly targets?: string[];
  readonly steps?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly windowTokens?: number;
  readonly noise?: TrainingOptions["noise"];
  readonly optimizer?: TrainingOptions["optimizer"];
  readonly seed: bigint;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly patience?: number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  lad train                                            a minute or two on the base that comes with lad
  lad train my-data --base smollm2-135m --steps 500 --name mine
  lad train chats.jsonl --base meta-llama/Llama-3.2-1B-Instruct --device cuda --preset lad
  lad train my-data --steps 5000 --patience 3
  lad train --noise cover:swapScale=1 --set attention=causal-prefix

Data is ${DATA_HELP}.
Settings are the ones that work best on the base; --preset lad takes the method's own. --set gives any other option of
training in the SDK's words. The adapter is kept in LAD_HOME; where no --adapter is given, the one that was saved last answers.
Ctrl-C pauses: \`lad runs resume <id>\` goes on, to the same weights as without the pause.`;

/** `lad train` */
export function trainCommand(cli: Cli): Command {
  return withWorkerFlags(
    withColumnFlags(new Command("train"))
      .argument("[data]", "what to learn (default: the questions that come with the small bases)")
      .option("-b, --base <base>", "stub, tiny, smollm2-135m, a hub id or a folder", DEFAULT_BASE)
      .option("-n, --name <name>", "what the adapter is called (default: its base and rank)")
      .option("-r, --rank <n>", "rank of LoRA's matrices", integer, 64)
      .option("--alpha <x>", "LoRA's alpha (default: the rank)", decimal)
      .option("--targets <list>", "projections, such as q_proj,v_proj", words)
      .option("-s, --steps <n>", "optimizer steps", integer)
      .option("--batch-size <n>", "examples a step", integer)
      .option("--learning-rate <x>", "the peak of the schedule", decimal)
      .option("--window-tokens <n>", "the longest prompt and answer together, in tokens", integer)
      .option(
        "--noise <noise>",
        "how answers are corrupted: lad, cover, mask-only, … with :key=value,…",
        kind,
      )
      .option("--optimizer <optimizer>", "adamw or muon, with :key=value,…", kind)
      .addOption(new Option("--seed <n>", "of weights, order and noise").argParser(seed).default(1n, "1"))
      .option(
        "--preset <recipe>",
        "settings of another base, lad: the method's own, or better: what won on tiny",
      )
      .option("--set <key=value>", "any other option of training; may be given again", collect)
      .option(
        "--held-out <share>",
        "hold so much of the data out for validation, where it has none: 0.05",
        share,
      )
      .option(
        "--patience <n>",
        "end after so many validations without an improvement, and go back to the best",
        integer,
      )
      .option("--overwrite", "replace an adapter of that name")
      .option("--json", "one line of JSON for each event"),
  )
    .addHelpText("after", EXAMPLES)
    .action((data: string | undefined, flags: Flags) => train(cli, data, flags));
}

async function train(cli: Cli, data: string | undefined, flags: Flags): Promise<void> {
  const recipe = recipeFor(flags.base, flags.preset);
  const { train: source, heldout } = namedData(data, flags.base, flags);
  if (flags.patience !== undefined && heldout === undefined) throw nothingHeldOut(flags.patience);
  if (flags.name !== undefined) checkName(flags.name);
  for (const text of flags.set ?? []) checkSet(text);
  await withKeeper(cli, flags, async ({ runtime, isShared }) => {
    const name = await nameOf(runtime, flags);
    const base = await loadBase(cli, runtime, flags.base, recipe);
    note(
      cli,
      `${base.name}, ${base.info.parameterCount.toLocaleString("en-US")} parameters; ${recipe.about}`,
    );
    const { rank, alpha, targets = recipe.adapter.targets, seed } = flags;
    const adapter = await base.createAdapter({ rank, alpha, targets, seed, signal: cli.leaving.signal });
    const { steps = recipe.training.steps } = flags;
    const validation = heldout && { data: heldout, ...stopping(name, steps, flags) };
    const options = trainingOptions(recipe, flags, { data: source, validation });
    const run = await begin(runtime, adapter, name, options, flags).catch(async (error: unknown) => {
      await dropQuietly(adapter);
      throw error;
    });
    await noteTraining(run.id, name);
    await followTraining(cli, { runtime, run, name, isShared, json: flags.json === true });
  });
}

/** What the adapter is to be called: what nothing is called yet, neither in the library nor among the runs that can go on. */
async function nameOf(runtime: Runtime, { name, base, rank, overwrite }: Flags): Promise<string> {
  const runs = (await runtime.runs()).filter(
    ({ kind, checkpoint }) => kind === "training" && checkpoint !== "",
  );
  const waiting = runs.filter(({ state }) => state !== "finished");
  if (name === undefined) {
    return freeName(`${stemOf(base)}-r${rank}`, new Set(waiting.map(({ checkpoint }) => checkpoint)));
  }
  const other = waiting.find(({ checkpoint }) => checkpoint === name);
  if (other === undefined || overwrite) return name;
  throw new LadError("already-exists", `A training of the name ${name} is ${other.state}: ${other.id}.`, {
    option: "--name",
    value: name,
    remedy: `\`lad runs resume ${other.id}\` goes on, --overwrite begins anew, \`lad runs delete ${other.id}\` forgets it.`,
  });
}

/** Starts the run, so that whatever becomes of this process, its checkpoints are found under the adapter's name. */
async function begin(
  runtime: Runtime,
  adapter: Adapter,
  name: string,
  options: TrainingOptions,
  { overwrite = false }: Flags,
): Promise<Run> {
  const { everySteps = often(options) } = options.checkpoint ?? {};
  const training = adapter.train({
    ...options,
    checkpoint: { name, everySteps, overwrite },
    save: { folder: libraryFolder(name), overwrite }, // is checked now; followTraining writes it
    detached: true,
  });
  return runtime.run(await training.start());
}

function trainingOptions(
  { training }: Recipe,
  flags: Flags,
  data: Pick<TrainingOptions, "data" | "validation">,
): TrainingOptions {
  const { steps, batchSize, learningRate, windowTokens, noise, optimizer, seed, set = [] } = flags;
  const given = { steps, batchSize, learningRate, windowTokens, noise, optimizer };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return overlaid({ ...training, ...data, ...named, seed }, set) as unknown as TrainingOptions;
}

/** Steps between two checkpoints. */
function often({ steps = 1000 }: TrainingOptions): number {
  return Math.max(20, Math.ceil(steps / 20));
}

/** Refuses what the command gives itself. */
function checkSet(text: string): void {
  const [own] = /^(save|detached|signal|checkpoint(?!\.everySteps\b))\b[^=]*/.exec(text) ?? [];
  if (own === undefined) return;
  throw new LadError("invalid-option", `--set ${own} is the command's own to give.`, {
    option: "--set",
    value: text,
    remedy:
      "--name says what adapter and checkpoint are called, --overwrite replaces them, `lad adapters export` copies one.",
  });
}

function nothingHeldOut(patience: number): LadError {
  return new LadError("invalid-option", `--patience is ${patience}: nothing is held out to validate on.`, {
    option: "--patience",
    value: patience,
    remedy: "Give --held-out 0.05, or a folder with validation.jsonl.",
  });
}

/** Validations twenty times in a run, of which the best is kept, where there is a patience to end by. */
function stopping(name: string, steps: number, { patience, overwrite = false }: Flags): object {
  if (patience === undefined) return {};
  const keepBest = { name: bestOf(name), overwrite };
  return { everySteps: Math.max(1, Math.ceil(steps / 20)), patience, keepBest, restoreBest: true };
}
