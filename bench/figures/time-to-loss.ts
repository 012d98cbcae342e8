/**
 * How soon our training has what lad-generic's has after some minutes: the CE of corrupted content tokens of held-out examples, with the
 * same base, data, rank, projections and threads. Whatever is finished is kept, and a further call goes on.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { type Base, lad, Runtime } from "../../sdk/src/index.js";
import { number } from "../../sdk/src/report/numbers.js";
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import { root } from "../../sdk/tools/checkout.js";
import { type AdapterRecipe, KEPT, trainingOf } from "../decoding/adapters.js";
import type { Bench } from "../harness/bench.js";
import { conditionsOf, revisionOf } from "../harness/conditions.js";
import { type Figure, LAD_GENERIC } from "../harness/figure.js";
import { Kept } from "../harness/kept.js";
import type { Attention } from "../harness/options.js";
import type { Report } from "../harness/result.js";
import type { Spread } from "../harness/statistics.js";
import {
  bestOf,
  isReached,
  type LearningCurve,
  NOISES,
  type NoiseName,
  type Race,
  raceOf,
  spreadOf,
} from "../learning/curve.js";
import { learn } from "../learning/ours.js";
import { nameOfRate, THEIR_SETTINGS, Theirs } from "../learning/theirs.js";
import { VALIDATION_EXAMPLES } from "../learning/validating.js";

/**
 * The reference has the best of four learning rates, found with the first seed; ours the first of five lengths of its schedule that gets
 * as far.
 */
const LEARNING_RATES = [3e-4, 1e-3, 3e-3, 1e-2];
const STEPS = [250, 500, 1000, 2000, 4000];
const DEFAULT_MINUTES = 10;
const DEFAULT_SEEDS = 3;

/** What was learnt with one seed. */
interface OfSeed {
  readonly seed: number;
  readonly ours: readonly LearningCurve[];
  readonly reference: readonly LearningCurve[];
  /** Under each noise; null where ours ran alone. */
  readonly races: Readonly<Record<NoiseName, Race>> | null;
}

export const timeToLoss: Figure = {
  about: "time to the validation CE that RuurdKuiper/lad-generic's own training has after 10 minutes",
  base: "tiny",
  takes: ["minutes", "seeds", "attention"],
  against: LAD_GENERIC,
  measure,
};

interface Measuring {
  readonly bench: Bench;
  readonly base: Base;
  readonly recipe: AdapterRecipe;
  readonly workerPid: number | undefined;
  readonly kept: Kept;
  /** Loads the reference when it is first wanted. */
  readonly theirs: () => Promise<Theirs>;
}

async function measure(bench: Bench): Promise<Report> {
  const { base: name, threads, attention, seeds = DEFAULT_SEEDS, against } = bench.options;
  const recipe = recipeOf(name, attention);
  await using runtime = await Runtime.start({ threads, stateFolder: join(bench.scratch, "worker") });
  const base = await runtime.loadBase(name, recipe.base);
  const kept = await Kept.open(KEPT, "time-to-loss", factsOf(bench, base, recipe));
  let loading: Promise<Theirs> | undefined;
  const theirs = () => (loading ??= Theirs.load(bench, base, recipe));
  const measuring = { bench, base, recipe, workerPid: runtime.workerPid, kept, theirs };
  const measured: OfSeed[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const rates = bestRates(measured[0]?.reference ?? []);
    measured.push(await ofSeed(measuring, seed, rates));
  }
  const { torchVersion: torch, pythonVersion: python } = await runtime.info();
  const facts = { parameters: base.info.parameterCount, dtype: base.info.dataType, torch, python };
  const conditions = await conditionsOf(bench, facts, {
    minutes: minutesOf(bench),
    ...settingsOf(recipe),
    validationExamples: VALIDATION_EXAMPLES,
    reference: against === undefined ? undefined : "lad-generic",
    kept: kept.file,
  });
  return {
    json: { base: name, ...ratiosOf(measured, "lad"), seeds: measured, conditions },
    text: asText(measured),
  };
}

/** The base's own recipe, but for the noise: both sides train with the one that is validated with. */
function recipeOf(base: string, attention: Attention): AdapterRecipe {
  const recipe = trainingOf(base, attention);
  return { ...recipe, training: { ...recipe.training, noise: lad() } };
}

/** What makes kept results those of the same measurement. A part's own name tells which code made it. */
function factsOf(bench: Bench, base: Base, recipe: AdapterRecipe): object {
  return {
    base: { name: base.name, revision: base.info.revision },
    minutes: minutesOf(bench),
    threads: bench.options.threads,
    processor: cpus()[0]?.model,
    cores: cpus().length,
    validationExamples: VALIDATION_EXAMPLES,
    ...settingsOf(recipe),
  };
}

function settingsOf({ adapter, training }: AdapterRecipe): object {
  return { ours: { adapter, training }, theirs: THEIR_SETTINGS };
}

function minutesOf({ options }: Bench): number {
  return options.minutes ?? DEFAULT_MINUTES;
}

/** Those that were the best under some noise; all of them, while none has been tried. */
function bestRates(tried: readonly LearningCurve[]): readonly number[] {
  if (tried.length === 0) return LEARNING_RATES;
  const best = NOISES.map((noise) => bestOf(tried, noise).run);
  return LEARNING_RATES.filter((rate) => best.includes(nameOfRate(rate)));
}

async function ofSeed(measuring: Measuring, seed: number, rates: readonly number[]): Promise<OfSeed> {
  const reference = await theirCurves(measuring, seed, rates);
  const ours = await ourCurves(measuring, seed, reference);
  const race = (noise: NoiseName) => raceOf(ours, reference, noise);
  const races = reference.length === 0 ? null : { lad: race("lad"), clearTail: race("clearTail") };
  return { seed, ours, reference, races };
}

/** One for each of the learning rates; none where ours runs alone. */
async function theirCurves(
  { bench, kept, theirs }: Measuring,
  seed: number,
  rates: readonly number[],
): Promise<LearningCurve[]> {
  const { against } = bench.options;
  if (against === undefined) return [];
  const code = `lad-generic ${await revisionOf(against)}`;
  const updates = await kept.part(`${code}: updates`, async () =>
    (await theirs()).updatesIn(60 * minutesOf(bench)),
  );
  const curves: LearningCurve[] = [];
  for (const learningRate of rates) {
    const name = `${code}: seed ${seed}, learning rate ${learningRate}`;
    bench.say(`${name}, ${updates} updates`);
    curves.push(await kept.part(name, async () => (await theirs()).learn({ learningRate, seed, updates })));
    bench.say(`  ${inWords(curves.at(-1))}`);
  }
  return curves;
}

/** One for each length of the schedule, up to the first that gets as far as the reference. */
async function ourCurves(
  { bench, base, recipe, workerPid, kept }: Measuring,
  seed: number,
  reference: readonly LearningCurve[],
): Promise<LearningCurve[]> {
  const code = `ours ${await revisionOf(root)}`;
  const { windowTokens } = recipe.training;
  const shared = { recipe, seed, workerPid, windowTokens, attention: bench.options.attention };
  const curves: LearningCurve[] = [];
  for (const steps of STEPS) {
    const name = `${code}: seed ${seed}, ${steps} steps`;
    bench.say(name);
    curves.push(await kept.part(name, () => learn(base, { ...shared, steps })));
    bench.say(`  ${inWords(curves.at(-1))}`);
    if (reference.length > 0 && isReached(curves, reference)) break;
  }
  return curves;
}

/** How a run ended. */
function inWords(curve: LearningCurve | undefined): string {
  const last = curve?.points.at(-1);
  if (last === undefined) return "nothing";
  return `CE ${number(last.ce.lad)} (${number(last.ce.clearTail)} with a clear tail) in ${number(last.seconds)} s`;
}

/** Over the seeds. */
function ratiosOf(
  measured: readonly OfSeed[],
  noise: NoiseName,
): { ratio: Spread | null; processorRatio: Spread | null } {
  const races = measured.map(({ races }) => races?.[noise]);
  return {
    ratio: spreadOf(races.map((race) => race?.ratio ?? null)),
    processorRatio: spreadOf(races.map((race) => race?.processorRatio ?? null)),
  };
}

function asText(measured: readonly OfSeed[]): string {
  if (measured.every(({ races }) => races === null)) {
    return measured
      .flatMap(({ seed, ours }) => ours.map((curve) => `seed ${seed}, ${curve.name}: ${inWords(curve)}`))
      .join("\n");
  }
  const rows = NOISES.flatMap((noise) =>
    measured.flatMap(({ seed, races }) => (races === null ? [] : [{ seed, noise, ...races[noise] }])),
  );
  const ratios = NOISES.map((noise) => {
    const { ratio, processorRatio } = ratiosOf(measured, noise);
    return `${TITLES[noise]}: ours takes ${asRatio(ratio)} as long by the clock, ${asRatio(processorRatio)} of the processors' time`;
  });
  return [renderTable(COLUMNS, rows), ...ratios].join("\n");
}

const TITLES: Readonly<Record<NoiseName, string>> = { lad: "lad noise", clearTail: "with a clear tail" };

function asRatio(ratio: Spread | null): string {
  if (ratio === null) return "not known how";
  return `1 / ${number(ratio.median)} (${number(ratio.min)}–${number(ratio.max)})`;
}

const COLUMNS: readonly Column<Race & { seed: number; noise: NoiseName }>[] = [
  { header: "validated with", align: "left", cell: ({ noise }) => TITLES[noise] },
  { header: "seed", cell: ({ seed }) => String(seed) },
  { header: "lad-generic", align: "left", cell: ({ reference }) => reference.run },
  { header: "CE", cell: ({ reference, noise }) => number(reference.point.ce[noise]) },
  { header: "seconds", cell: ({ reference }) => number(reference.point.seconds) },
  { header: "ours", align: "left", cell: ({ ours }) => ours?.run ?? "not reached" },
  { header: "CE", cell: ({ ours, noise }) => number(ours?.point.ce[noise]) },
  { header: "seconds", cell: ({ ours }) => number(ours?.point.seconds) },
  { header: "ratio", cell: ({ ratio }) => number(ratio ?? undefined) },
  { header: "processors'", cell: ({ processorRatio }) => number(processorRatio ?? undefined) },
];
