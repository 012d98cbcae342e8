/**
 * Trains a LoRA adapter of each rank on one resident base, watches it, and compares them. `npm start` runs it on `tiny`.
 *
 *     npx tsx examples/sweep-lora-ranks.ts [--base tiny] [--ranks 4,16,64] [--minutes 5 | --steps 300] [--data folder]
 *         [--device cpu | cuda | container-cpu | container-cuda] [--preset lad] [--questions 100 | 0 for all] [--json]
 *         [--manifest ranks.json]
 *
 * A second of training tells how long it will take. `--minutes` are for all ranks together, 5 on `tiny`: where the recipe's steps
 * do not fit them, it takes fewer, and prints how many. `--steps` takes so many whatever the time; as many again give the same
 * numbers.
 *
 * Ctrl-C ends it with the ranks that are done, and says how to go on with those that are missing; a second one ends it at once.
 * `--manifest` is a file that keeps each rank's row: called again with it, and with as many `--steps`, the sweep goes on.
 *
 * `--data` is a folder with train.jsonl and validation.jsonl. Settings are those that work best on the base
 * (sdk/src/experiments/recipes.ts); `--preset lad` takes the method's own. The table, or with --json one line a rank, goes to standard
 * output, all else to standard error.
 */
import { join } from "node:path";
import {
  type Adapter,
  type Evaluation,
  jsonl,
  type LossReport,
  type Policy,
  planRuns,
  Runtime,
  type RuntimeOptions,
  recipeFor,
  refine,
  remask,
  speculative,
  sweep,
  tinyData,
} from "lad";
import { drawDenoising, drawTraining, duration, LiveBlock, type RankRow, rankTable } from "lad/report";
import { callOf, commandLine, interruption } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  ranks: { type: "string", default: "4,16,64" },
  steps: { type: "string" },
  minutes: { type: "string" },
  data: { type: "string" },
  device: { type: "string", default: "cpu" },
  preset: { type: "string" },
  questions: { type: "string", default: "100" },
  json: { type: "boolean", default: false },
  manifest: { type: "string" },
});
const recipe = recipeFor(values.base, values.preset);
const { answerTokens } = recipe; // undefined: answers fill the windows of the training
const most = whole("steps", values.steps ?? String(recipe.training.steps), 1);
const given = values.minutes ?? (values.base === "tiny" && values.steps === undefined ? "5" : undefined);
const minutes = given === undefined ? Number.POSITIVE_INFINITY : whole("minutes", given, 1);
const limit = whole("questions", values.questions, 0);
const rank = values.ranks.split(",").map((text) => whole("ranks", text, 1));
const { train, heldout } = values.data
  ? { train: jsonl(join(values.data, "train.jsonl")), heldout: jsonl(join(values.data, "validation.jsonl")) }
  : { train: tinyData.train(), heldout: tinyData.heldout() };
const [device, profile] = values.device.split("-") as ["cpu", "cpu" | undefined];
const where: RuntimeOptions = profile === undefined ? { device } : { container: profile };

const rows: RankRow[] = [];
let planned: string | undefined;
const signal = interruption(howToGoOn);

await using runtime = await Runtime.start({ ...where, signal });
const base = await runtime.loadBase(values.base, { ...recipe.base, signal });
const size = base.info.parameterCount.toLocaleString("en-US");
console.error(`${base.name}, ${size} parameters; ${recipe.about}`);

const { windowTokens, maxPromptTokens = 0, noise, loss } = recipe.training;
const window = { windowTokens, maxPromptTokens };
const started = performance.now();
const { report: unadapted } = await base.validate({ ...window, noise, loss, data: heldout, signal });
const validationSeconds = (performance.now() - started) / 1000;
const items = await base.questions(heldout, { ...window, limit });
const autoregressive = figures(
  await base.evaluate({ items, answerTokens: answerTokens ?? window.windowTokens, policy: "ar", signal }),
);

const { steps, seconds } = await planRuns(base, {
  adapter: { ...recipe.adapter, rank: Math.max(...rank), seed: 1, signal },
  training: { ...recipe.training, data: train, steps: most, signal },
  runs: rank.length,
  seconds: 60 * minutes,
  beside: measuringSeconds,
});
planned = String(steps);
const again = steps < most ? ` (--steps ${steps} takes as many again; --minutes gives it more time)` : "";
console.error(`about ${duration(seconds)} on this machine: ${steps} steps for each rank${again}`);

const ranks = sweep({
  axes: { rank },
  spec: {
    base: values.base,
    preset: values.preset ?? null,
    data: values.data ?? null,
    questions: limit,
    steps,
  },
  manifest: values.manifest,
  signal,
  run: ({ rank }, { signal }) => measure(rank, signal),
});
try {
  for await (const row of ranks) {
    if (row.status === "failed") {
      console.error(`rank ${row.point.rank}: ${row.error.message}`);
      process.exitCode = 1;
      continue;
    }
    rows.push(row.result);
    if (values.json) printLine(row.result);
    else if (rows.length < ranks.points.length) console.error(`${rankTable(rows)}\n`);
  }
} finally {
  if (rows.length > 0 && !values.json) console.log(rankTable(rows));
}

/** What an interrupted sweep says last. */
function howToGoOn(): string {
  const done = rows.map((row) => row.rank);
  const missing = rank.filter((each) => !done.includes(each));
  const { manifest } = values;
  const kept = manifest ? `kept in ${manifest}` : "all that is left of it (--manifest keeps them in a file)";
  const said = done.length > 0 ? `The rows of rank ${done.join(", ")} are ${kept}.` : "No rank was done.";
  const left = { ...values, minutes: planned ? undefined : values.minutes, steps: planned ?? values.steps };
  const call = callOf(import.meta.url, manifest ? left : { ...left, ranks: missing.join(",") });
  return `Interrupted. ${said} To go on with the rest, with the same numbers:\n    ${call}`;
}

/** Trains one adapter and measures it: its losses, then the answers of both samplers after 1, 4 and 16 iterations. */
async function measure(rank: number, signal: AbortSignal): Promise<RankRow> {
  await using adapter = await base.createAdapter({ ...recipe.adapter, rank, seed: 1, signal });
  const run = adapter.train({
    ...recipe.training,
    steps,
    data: train,
    validation: { data: heldout },
    signal,
  });
  const taken = await drawTraining(new LiveBlock(), `rank ${rank}`, steps, run);
  const { tokensPerSecond, validation } = await run.result();
  const { bytes, parameterCount } = await adapter.refresh();
  const [question = { ids: [] }] = items;
  const policy = remask({ ...recipe.remask, iterations: 16 });
  const shown = adapter.sample({ ids: question.ids, answerTokens, policy, signal });
  await drawDenoising(new LiveBlock(), `rank ${rank}`, shown, base);
  const answers = async (policy: (options: { iterations: number }) => Policy) => {
    const after = async (iterations: number) =>
      figures(await adapter.evaluate({ items, answerTokens, policy: policy({ iterations }), signal }));
    return { 1: await after(1), 4: await after(4), 16: await after(16) };
  };
  return {
    rank,
    trainableParameters: parameterCount,
    tokensPerSecond,
    trainCe: meanCe(taken.slice(-20).map((step) => step.report)),
    ...validationCes(validation ?? unadapted),
    baseCe: unadapted.corruptedCe,
    accountedBytes: bytes,
    refine: await answers(refine),
    remask: await answers(({ iterations }) => remask({ ...recipe.remask, iterations })),
    autoregressive,
    speculative: { tokensPerForward: await tokensPerForward(adapter, signal) },
  };
}

/** In how few forwards the base's own answers come where the adapter drafts them. */
async function tokensPerForward(adapter: Adapter, signal: AbortSignal): Promise<number> {
  const canvases = items.map(({ ids }) => ({ ids }));
  const answers = await adapter
    .sampleMany({ canvases, answerTokens, policy: speculative(), signal })
    .result();
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);
  const tokens = sum(answers.map(({ canvasIds }) => canvasIds.length));
  return tokens / sum(answers.map(({ iterations }) => iterations));
}

/**
 * What a rank takes beside its steps, from one validation and from what 4 iterations take, of which its answers have 2 · (1 + 4 + 16),
 * and self-speculation about 16.
 */
async function measuringSeconds(trial: Adapter): Promise<number> {
  const started = performance.now();
  await trial.evaluate({ items, answerTokens, policy: refine({ iterations: 4 }) });
  const answersSeconds = (performance.now() - started) / 1000;
  return 2 * validationSeconds + (answersSeconds * (2 * (1 + 4 + 16) + 16)) / 4;
}

/** A flag's number, refused before anything starts. */
function whole(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${flag} is ${text || "empty"}: it must be an integer of at least ${least}.`);
}

/** CE per corrupted token: of all, of the answers' own, and of their EOS tails. */
function validationCes({ corruptedCe, corruptedTokens, corruptedContentCe, ...report }: LossReport) {
  const content = report.corruptedContentTokens;
  const tailSum = corruptedCe * corruptedTokens - corruptedContentCe * content;
  const validationTailCe = tailSum / (corruptedTokens - content);
  return { validationCe: corruptedCe, validationContentCe: corruptedContentCe, validationTailCe };
}

/** CE per corrupted token over several steps. */
function meanCe(reports: readonly { corruptedCe: number; corruptedTokens: number }[]): number {
  const seen = reports.filter((report) => report.corruptedTokens > 0);
  const tokens = seen.reduce((sum, report) => sum + report.corruptedTokens, 0);
  return seen.reduce((sum, report) => sum + report.corruptedCe * report.corruptedTokens, 0) / tokens;
}

/** One rank as JSON, without what only the table shows. */
function printLine({ validationContentCe: _, validationTailCe: __, ...line }: RankRow): void {
  console.log(JSON.stringify(line));
}

function figures({ perplexity, distinct2, exactMatch }: Evaluation) {
  return { perplexity: perplexity.value, distinct2: distinct2.value, exactMatch: exactMatch.value };
}
