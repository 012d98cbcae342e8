/**
 * Adapts a pretrained base over hours, in as many sittings as it takes, and reports what came of it: loss curves, answers beside the
 * base's own, ARC-Easy by letter.
 *
 *     npx tsx examples/adapt-pretrained.ts --data folder [--out adapted] [--minutes 60] [--base smollm2-135m] [--preset name]
 *         [--rank 64] [--steps 4500] [--questions 200] [--device cpu | cuda]
 *
 * `--data` is a folder with train.jsonl, validation.jsonl and, in the hub's schema, arc_easy.jsonl. After `--minutes`, or a Ctrl-C, the
 * training is interrupted behind a checkpoint; the same command goes on, to the bits of a training that was never interrupted. What is
 * saved and reported is the adapter of the best validation.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  ar,
  arcEasy,
  type Base,
  jsonl,
  newcombe,
  Runtime,
  recipeFor,
  refine,
  remask,
  runBenchmark,
} from "lad";
import { drawTraining, LiveBlock, lineChart, Report, traceOf } from "lad/report";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  data: { type: "string" },
  out: { type: "string", default: "adapted" },
  minutes: { type: "string" },
  base: { type: "string", default: "smollm2-135m" },
  preset: { type: "string" },
  rank: { type: "string", default: "64" },
  steps: { type: "string", default: "4500" },
  questions: { type: "string", default: "200" },
  device: { type: "string", default: "cpu" },
});
const { data: folder = missing(), out } = values;
const steps = Number(values.steps);
const limit = Number(values.questions);
const recipe = recipeFor(values.base, values.preset);
const { answerTokens } = recipe;
const POLICIES = {
  remask: remask({ ...recipe.remask, iterations: 16 }),
  refine: refine({ iterations: 16 }),
} as const;
const validation = jsonl(join(folder, "validation.jsonl"));
const saved = join(out, "adapter");

await using runtime = await Runtime.start({
  device: values.device as "cpu" | "cuda",
  stateFolder: join(out, "state"), // keeps the run, its checkpoint and its losses
});
const base = await runtime.loadBase(values.base, recipe.base);
const run = await trainingRun();
if (await followed()) await report(await adapterOf());
else console.error(`Interrupted. The training is kept in ${out}: the same command goes on.`);

function missing(): never {
  throw new Error("Give --data, a folder with train.jsonl and validation.jsonl.");
}

/** The run of this folder: a new one, or the one of an earlier sitting, which goes on if it has not ended. */
async function trainingRun() {
  const kept = (await runtime.runs()).find(({ kind }) => kind === "training");
  if (kept !== undefined) {
    const earlier = runtime.run(kept.id);
    if (kept.state === "interrupted") await earlier.resume();
    return earlier;
  }
  const adapter = await base.createAdapter({ ...recipe.adapter, rank: Number(values.rank), seed: 1 });
  const training = adapter.train({
    ...recipe.training,
    data: jsonl(join(folder, "train.jsonl")),
    steps,
    seed: 1,
    validation: {
      data: validation,
      everySteps: Math.ceil(steps / 20),
      maxExamples: 100,
      keepBest: "adapted-best",
      restoreBest: true,
    },
    checkpoint: { name: "adapted", everySteps: 100 },
    detached: true,
  });
  await training.start();
  return runtime.run(training.runId as string);
}

/** Draws the training as it goes; false if it was left before its end. */
async function followed(): Promise<boolean> {
  const leaving = new AbortController();
  process.once("SIGINT", () => leaving.abort());
  const limit = values.minutes && setTimeout(() => leaving.abort(), 60_000 * Number(values.minutes));
  const told = async function* () {
    for await (const { event } of run.events({ signal: leaving.signal })) yield event;
  };
  try {
    await drawTraining(new LiveBlock(), "training", steps, told());
    return true;
  } catch (error) {
    if (leaving.signal.aborted) return false; // closing the runtime has the worker write the checkpoint
    throw error;
  } finally {
    clearTimeout(limit || undefined);
  }
}

/** The trained adapter, which is saved when it is first there. */
async function adapterOf(): Promise<Adapter> {
  if (existsSync(saved)) return base.loadAdapter(saved);
  const adapter = await runtime.adapter((await run.info()).adapterId);
  await adapter.save(saved);
  return adapter;
}

async function report(adapter: Adapter): Promise<void> {
  const { about, adapter: adapted, training } = recipe;
  const page = new Report({
    title: `${values.base}, adapted to diffusion`,
    about,
    configuration: { base: values.base, rank: Number(values.rank), ...adapted, ...training, steps },
    command: `npx tsx examples/adapt-pretrained.ts ${process.argv.slice(2).join(" ")}`,
    seeds: { "weights, order and noise": 1 },
  });
  page.section("Training").plot(await lossChart());
  const answers = page.section("Answers to validation questions, as they are");
  answers.table({
    title: "The adapter's and its base's",
    columns: [
      { header: "question", value: ({ question }) => question },
      { header: "right answer", value: ({ right }) => right },
      { header: "remask, 16 iterations", value: ({ remasked }) => remasked },
      { header: "refine, 16 iterations", value: ({ refined }) => refined },
      { header: "the base, one token at a time", value: ({ plain }) => plain },
    ],
    rows: await samples(adapter, base),
  });
  const [question] = await base.questions(validation, { limit: 1 });
  const frames = adapter.sample({ ids: question?.ids ?? [], policy: POLICIES.remask, answerTokens });
  answers.trace(await traceOf({ title: "remask, 16 iterations", frames, base }));
  if (existsSync(join(folder, "arc_easy.jsonl"))) {
    page.section("ARC-Easy by letter").table(await arcTable(adapter));
  }
  console.log(`The report: ${(await page.write(join(out, "report"))).html}`);
}

/** Means over each hundredth of the steps, and the validations. */
async function lossChart() {
  const each = Math.ceil(steps / 100);
  const groups = new Map<number, { nats: number; tokens: number }>();
  const validated: { x: number; y: number }[] = [];
  for await (const { event } of run.events()) {
    if (event.type === "validation") validated.push({ x: event.step, y: event.report.corruptedCe });
    if (event.type !== "step" || event.report.corruptedTokens === 0) continue;
    const at = Math.ceil(event.step / each) * each;
    const { nats = 0, tokens = 0 } = groups.get(at) ?? {};
    const { corruptedCe, corruptedTokens } = event.report;
    groups.set(at, { nats: nats + corruptedCe * corruptedTokens, tokens: tokens + corruptedTokens });
  }
  const trained = [...groups].map(([x, { nats, tokens }]) => ({ x, y: nats / tokens }));
  return lineChart({
    title: "CE of corrupted tokens",
    x: { label: "step" },
    y: { label: "CE", unit: "nats" },
    series: [
      { name: "training", points: trained },
      { name: "validation", points: validated },
    ],
  });
}

async function samples(adapter: Adapter, base: Base) {
  const questions = await base.questions(validation, { limit: 12 });
  const canvases = questions.map(({ ids }) => ({ ids }));
  const answersOf = (policy: (typeof POLICIES)[keyof typeof POLICIES]) =>
    adapter.sampleMany({ canvases, policy, answerTokens, frames: false }).result();
  const [remasked, refined] = [await answersOf(POLICIES.remask), await answersOf(POLICIES.refine)];
  const plain = await base
    .sampleMany({ canvases, policy: ar(), answerTokens: answerTokens ?? 64, frames: false })
    .result();
  const texts = await Promise.all(questions.map(({ ids }) => base.decode(ids)));
  return questions.map(({ reference }, i) => ({
    question: texts[i],
    right: reference,
    remasked: remasked[i]?.text,
    refined: refined[i]?.text,
    plain: plain[i]?.text,
  }));
}

/** Four choices: chance is a quarter. */
async function arcTable(adapter: Adapter) {
  const data = jsonl(join(folder, "arc_easy.jsonl"));
  const { models, autoregressive } = await runBenchmark({
    benchmark: arcEasy({ data, limit }),
    by: "letter",
    models: { adapter },
    policy: POLICIES.remask,
    answerTokens,
    folder: join(out, "arc-easy"),
  });
  const rightOf = ({ items }: typeof autoregressive) => items.map(({ correct }) => correct);
  return {
    title: `${limit} items, right by the letter that is written; by chance, about a quarter`,
    columns: [
      { header: "model", value: (row: { name: string }) => row.name },
      {
        header: "accuracy",
        form: "percent" as const,
        value: (row: { score: typeof autoregressive }) => row.score.accuracy,
      },
      { header: "nothing read", value: (row: { score: typeof autoregressive }) => row.score.unread },
      {
        header: "more than the base",
        form: "percent" as const,
        value: (row: { score: typeof autoregressive }) =>
          newcombe(rightOf(row.score), rightOf(autoregressive)),
      },
    ],
    rows: [
      { name: "the adapter, remask 16", score: models.adapter },
      { name: "the base, one token at a time", score: autoregressive },
    ],
  };
}
