/** What a reproduction will take and write, by what a few steps and answers take on this machine. */
import { join } from "node:path";
import type { Base } from "../base.js";
import { itemsOf } from "../benchmarks/items.js";
import { planRuns } from "../experiments/run-plan.js";
import { remask } from "../method/policies/registered.js";
import type { Lab } from "./measuring/lab.js";
import { autoregressive, COMPARED_ITERATIONS, type Piece, piecesOf, QUESTION_SETS } from "./pieces.js";
import { recipeOf, type Setting, variantsOf } from "./setting.js";
import { sum } from "./sum.js";

/** What a base's variants will take. */
export interface PlannedBase {
  /** The base's name. */
  readonly base: string;
  /** The base's own. */
  readonly parameters: number;
  /** Variants that are trained on it. */
  readonly variants: number;
  /** Tokens of each variant's training. */
  readonly tokens: number;
  /** Of a training step of the highest rank, measured. */
  readonly stepSeconds: number;
  /** Of all its variants' training. */
  readonly trainingSeconds: number;
  /** Of all answers on it, by a few that were measured. */
  readonly answeringSeconds: number;
  /** Of the base's weights, and of an adapter of the highest rank with its optimizer. */
  readonly bytes: number;
}

/** What a reproduction will take. */
export interface ReproductionPlan {
  /** Base by base, in the order given. */
  readonly bases: readonly PlannedBase[];
  /** Tokens of all training. */
  readonly tokens: number;
  /** Optimizer steps of each variant. */
  readonly steps: number;
  /** Of everything. */
  readonly seconds: number;
  /** Of the largest base, its adapter and its optimizer, without activations. */
  readonly bytes: number;
  /** What is written, by its path. */
  readonly writes: Readonly<Record<string, string>>;
}

export async function planReproduction(lab: Lab): Promise<ReproductionPlan> {
  const { folder, steps, bases: names } = lab.setting;
  const bases: PlannedBase[] = [];
  for (const name of names) bases.push(await planBase(lab, name));
  return {
    bases,
    steps,
    tokens: sum(bases, ({ tokens, variants }) => tokens * variants),
    seconds: sum(bases, (base) => base.trainingSeconds + base.answeringSeconds),
    bytes: Math.max(...bases.map((base) => base.bytes)),
    writes: {
      [join(folder, "adapters")]: "an adapter for each variant, in PEFT's format",
      [join(folder, "pieces.json")]: "what was measured, item by item; a reproduction goes on from it",
      ...(asksBenchmarks(lab.setting)
        ? {
            [join(folder, "benchmarks")]:
              "every answer to a benchmark, from which an interrupted one goes on",
          }
        : {}),
      "checkpoints in the worker's state folder": "of the training under way, until it has ended",
      [join(folder, "report")]: "index.html, results.jsonl and report.md",
    },
  };
}

function asksBenchmarks({ benchmarks }: Setting): boolean {
  return QUESTION_SETS.some((set) => benchmarks[set].length > 0);
}

/** Questions of the measured answers, and their iterations. */
const TRIED = { questions: 8, iterations: 4 };

async function planBase(lab: Lab, name: string): Promise<PlannedBase> {
  const { setting } = lab;
  const base = await lab.base(name);
  const recipe = recipeOf(setting, name);
  const variants = variantsOf(setting).filter((variant) => variant.base === name);
  const rank = Math.max(...variants.map((variant) => variant.rank));
  const questions = await lab.questions(base, "easy");
  const canvases = questions.slice(0, TRIED.questions).map(({ ids }) => ({ ids }));
  const own = performance.now();
  await base
    .sampleMany({
      canvases,
      policy: autoregressive,
      answerTokens: recipe.training.windowTokens,
      frames: false,
    })
    .result();
  const answerSeconds = (performance.now() - own) / 1000 / canvases.length;
  let iterationSeconds = 0;
  let bytes = 0;
  const { seconds: trainingSeconds } = await planRuns(base, {
    adapter: { ...recipe.adapter, rank, seed: setting.seed },
    training: { ...recipe.training, data: lab.data.train, steps: setting.steps },
    runs: variants.length,
    beside: async (trial) => {
      const policy = remask({ iterations: TRIED.iterations });
      const started = performance.now();
      const answers = await trial.sampleMany({ canvases, policy, frames: false }).result();
      const forwards = sum(answers, (answer) => answer.iterations);
      iterationSeconds = (performance.now() - started) / 1000 / forwards;
      bytes = (await trial.refresh()).bytes;
      return 0;
    },
  });
  const { windowTokens, batchSize = 8 } = recipe.training;
  return {
    base: name,
    parameters: base.info.parameterCount,
    variants: variants.length,
    tokens: setting.steps * batchSize * windowTokens,
    stepSeconds: trainingSeconds / variants.length / setting.steps,
    trainingSeconds,
    answeringSeconds: await answeringOn(lab, base, { iterationSeconds, answerSeconds }),
    bytes: base.info.bytes + bytes,
  };
}

/** What was measured of answers. */
interface Measured {
  /** Of one forward over a canvas. */
  readonly iterationSeconds: number;
  /** Of one answer of the base by itself, a token a forward. */
  readonly answerSeconds: number;
}

/** Seconds of all answers in all pieces of a base, about. */
async function answeringOn({ setting }: Lab, base: Base, measured: Measured): Promise<number> {
  const { iterationSeconds, answerSeconds } = measured;
  let seconds = 0;
  for (const piece of piecesOf(setting)) {
    if (("base" in piece ? piece.base : piece.variant.base) !== base.name) continue;
    if (piece.kind === "base") seconds += setting.questions * answerSeconds;
    else if (piece.kind === "benchmark") {
      const { items } = await itemsOf(base, piece.benchmark, undefined);
      seconds += items.length * (COMPARED_ITERATIONS * iterationSeconds + answerSeconds);
    } else seconds += setting.questions * iterationsOf(piece) * iterationSeconds;
  }
  return seconds;
}

/** A policy without a number of iterations takes about so many. */
const USUAL_ITERATIONS = 8;

function iterationsOf(piece: Piece): number {
  if (piece.kind === "train") return 0;
  if (piece.kind !== "answers") return USUAL_ITERATIONS;
  return "iterations" in piece.policy ? piece.policy.iterations : USUAL_ITERATIONS;
}
