/** What `runBenchmark` takes. */
import { z } from "zod";
import { Adapter } from "../adapter.js";
import { check } from "../checks/check.js";
import { callback, filledText, integer, oneOf, seed, without } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import { FrozenBase } from "../frozen-base.js";
import {
  causal,
  type Likelihood,
  type LikelihoodInput,
  likelihoodSchema,
} from "../options/evaluation/likelihood.js";
import { checkManner } from "../options/primitive-checks.js";
import { misplacedBesidePolicy } from "../options/sampling/policy.js";
import { checkSpec, type SamplingOptions, specFields } from "../options/sampling.js";
import { Snapshot } from "../snapshot.js";
import { Benchmark, type ScoredBy } from "./benchmark.js";

/** A model that can be asked a benchmark's questions. */
export type BenchmarkModel = Adapter | Snapshot | FrozenBase;

/** How far `runBenchmark` is. */
export interface BenchmarkProgress {
  /** The model in hand. */
  readonly model: string;
  /** Its items that have a result. */
  readonly done: number;
  /** All of its items. */
  readonly total: number;
}

/** Options of `runBenchmark`. Those of sampling are for answers that are written: by letter, by number, by text. */
export interface RunBenchmarkOptions extends Omit<SamplingOptions, "frames" | "detached"> {
  /** Which questions: `arcEasy({ data })`, `mmlu({ data, shots: 5 })`, … */
  benchmark: Benchmark;
  /** The models by names of your own, all on one base; that base without an adapter is asked the same questions beside them. */
  models: Readonly<Record<string, BenchmarkModel>>;
  /**
   * How answers are judged, one of `likelihood`, `letter`, `number`, `text`: by the most likely choice, by a choice's letter, by the last
   * number, by the whole text. Default: the first of the benchmark's own `by`.
   */
  by?: ScoredBy | undefined;
  /**
   * By likelihood, what is taken for log p(choice | prompt): that of the causal model (`causal()`), or of a model that denoises, in one
   * forward (`pseudoLikelihood()`) or as a mean over random masks (`monteCarlo({ samples: 128 })`). The base without an adapter beside it
   * is always asked for its causal one. Default: `causal`.
   */
  likelihood?: LikelihoodInput | undefined;
  /**
   * The folder of this machine that keeps the result of every item, and from which an interrupted call goes on; it belongs to one
   * configuration. Default: none, and nothing is kept.
   */
  folder?: string | undefined;
  /**
   * Keys the draws, together with each item's prompt and right answer, so that the same item has the same answer in any company: an integer
   * from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0.
   */
  seed?: number | bigint | undefined;
  /** Items that are asked for at once, and lost where a call is interrupted: an integer from 1 to 1024. Default: 16. */
  itemsAtOnce?: number | undefined;
  /** Called when a model begins and after each group of items. Default: none. */
  onProgress?: ((progress: BenchmarkProgress) => void) | undefined;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MODELS = "models by names of letters, digits, dots, underscores and hyphens";

/** The name of the base without an adapter, which every model is compared with. */
export const REFERENCE = "autoregressive";

const models = z.custom<Readonly<Record<string, BenchmarkModel>>>(
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length > 0 &&
    Object.keys(value).every((name) => NAME.test(name) && name !== REFERENCE),
  { error: `${MODELS}, at least one, none of them ${REFERENCE}` },
);

export const runBenchmarkFields = fieldsOf<RunBenchmarkOptions>()(
  {
    benchmark: z.instanceof(Benchmark, { error: "a benchmark, such as arcEasy({ data: jsonl(…) })" }),
    models,
    by: oneOf(["likelihood", "letter", "number", "text"]).optional(),
    likelihood: likelihoodSchema.default(causal),
    folder: filledText("a folder's path").optional(),
    seed: seed().default(0n),
    itemsAtOnce: integer(1, 1024).default(16),
    onProgress: callback<(progress: BenchmarkProgress) => void>().optional(),
    ...without(specFields, "frames", "detached").shape,
  },
  misplacedBesidePolicy,
);

/** How answers are sampled. */
export interface RunSampling {
  /** As it was asked for, without what was left out. */
  readonly asked: Omit<SamplingOptions, "frames" | "detached" | "signal">;
  /** Complete but for what is settled by how an adapter was trained. */
  readonly complete: Readonly<Record<string, unknown>>;
  readonly seed: bigint;
}

export interface CheckedRunBenchmark {
  readonly benchmark: Benchmark;
  readonly models: Readonly<Record<string, BenchmarkModel>>;
  /** Which all of the models are on. */
  readonly base: FrozenBase;
  readonly by: ScoredBy;
  readonly likelihood: Likelihood;
  readonly folder: string | undefined;
  readonly itemsAtOnce: number;
  readonly onProgress: ((progress: BenchmarkProgress) => void) | undefined;
  readonly sampling: RunSampling;
  readonly signal: AbortSignal | undefined;
}

/** @throws LadError `invalid-option` */
export function checkRunBenchmark(options: RunBenchmarkOptions): CheckedRunBenchmark {
  const given = check(runBenchmarkFields, options);
  const { benchmark, models, by, likelihood, folder, seed, itemsAtOnce, onProgress, signal, ...complete } =
    given;
  const judged = by ?? (benchmark.by[0] as ScoredBy);
  if (!benchmark.by.includes(judged)) {
    const remedy = `Give ${benchmark.by.join(" or ")}.`;
    throw invalidOption("by", judged, `${benchmark.kind} is not judged so`, remedy);
  }
  const base = commonBase(models);
  const asked = askedSampling(options);
  if (judged === "likelihood") checkUnsampled(asked, likelihood);
  else for (const model of Object.values(models)) checkSampled(complete, !(model instanceof FrozenBase));
  const sampling = { asked, complete, seed };
  return {
    benchmark,
    models,
    base,
    by: judged,
    likelihood,
    folder,
    itemsAtOnce,
    onProgress,
    sampling,
    signal,
  };
}

function askedSampling(options: RunBenchmarkOptions): RunSampling["asked"] {
  const { signal: _, ...keys } = without(specFields, "frames", "detached").shape;
  const given = Object.entries(options).filter(([key, value]) => key in keys && value !== undefined);
  return Object.fromEntries(given);
}

/** Of sampling's options, attention is one of the likelihoods that mask as well. */
function checkUnsampled({ attention, ...others }: RunSampling["asked"], likelihood: Likelihood): void {
  checkManner(likelihood, attention);
  for (const [key, value] of Object.entries(others)) {
    throw invalidOption(key, value, "by likelihood nothing is sampled", "Leave it out, or give by.");
  }
}

type Sampled = Omit<z.output<typeof specFields>, "frames" | "detached" | "signal">;

function checkSampled(complete: Sampled, adapted: boolean): void {
  checkSpec({ ...complete, frames: false, detached: false }, {}, adapted, () => {});
}

function commonBase(models: Readonly<Record<string, BenchmarkModel>>): FrozenBase {
  const bases = Object.entries(models).map(([name, model]) => [name, baseOf(model, name)] as const);
  const [[first, base] = neverEmpty()] = bases;
  const other = bases.find(([, each]) => each.id !== base.id);
  if (other === undefined) return base;
  throw invalidOption(
    `models.${other[0]}`,
    other[1].name,
    `models.${first} is on another base`,
    "Run the benchmark once for each base, and compare with compareRuns.",
  );
}

function neverEmpty(): never {
  throw new Error("there is a model");
}

function baseOf(model: BenchmarkModel, name: string): FrozenBase {
  if (model instanceof FrozenBase) return model;
  if (model instanceof Adapter || model instanceof Snapshot) return model.base;
  throw invalidOption(
    `models.${name}`,
    typeof model,
    "it is no model",
    "Give an adapter, a snapshot or a base.",
  );
}
