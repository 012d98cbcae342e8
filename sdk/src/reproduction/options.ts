/** What a reproduction of the paper's claims takes. */
import { z } from "zod";
import { Benchmark } from "../benchmarks/benchmark.js";
import { check } from "../checks/check.js";
import { filledText, integer, list } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import { type BaseOptions, baseOptions } from "../options/base.js";
import { type DataSource, dataSourceSchema } from "../options/data-source.js";

/** The examples of a reproduction: what adapters learn, and what they are asked. */
export interface ReproductionData {
  /** Every variant is trained on these. */
  train: DataSource;
  /** Losses are measured on these. */
  validation: DataSource;
  /** Questions whose answers are found rather than computed. */
  easy: DataSource;
  /** Arithmetic word problems. */
  arithmetic: DataSource;
}

export const reproductionDataFields = fieldsOf<ReproductionData>()({
  train: dataSourceSchema,
  validation: dataSourceSchema,
  easy: dataSourceSchema,
  arithmetic: dataSourceSchema,
});

/** Benchmarks that adapters and their bases are asked, with their limits of rows; each kind once. */
export interface ReproductionBenchmarks {
  /** Those whose answers are found rather than computed, such as `arcEasy({ data })`. Default: none. */
  easy?: readonly Benchmark[] | undefined;
  /** Arithmetic word problems, such as `gsm8k({ data })`. Default: none. */
  arithmetic?: readonly Benchmark[] | undefined;
}

const benchmarkList = z
  .array(z.instanceof(Benchmark), { error: "a list of benchmarks, such as [arcEasy({ data: jsonl(…) })]" })
  .readonly()
  .default([]);

export const reproductionBenchmarksFields = fieldsOf<ReproductionBenchmarks>()({
  easy: benchmarkList,
  arithmetic: benchmarkList,
});

/** Options of `reproduceLad`. */
export interface ReproductionOptions {
  /** The folder of this machine that keeps what is trained, measured and reported, and from which an interrupted reproduction goes on. */
  folder: string;
  /** Names of bases, from the smallest to the largest. Default: `tiny-0.7m`, `tiny` and `tiny-5m`. */
  bases?: readonly string[] | undefined;
  /** LoRA ranks, from the lowest to the highest. Default: 16 and 64. */
  ranks?: readonly number[] | undefined;
  /** The recipe whose optimizer, windows and projections are used, by its name. Default: each base's own. */
  preset?: string | undefined;
  /** Optimizer steps of each variant: an integer of at least 1. Default: 3,000. */
  steps?: number | undefined;
  /** Questions of each set: an integer of at least 2. Default: 200. */
  questions?: number | undefined;
  /** Iterations after which answers are measured: integers of at least 1, rising. Default: 1, 2, 4, 8, 16, 32 and 64. */
  iterations?: readonly number[] | undefined;
  /** Training data and questions; required for other bases than the shipped ones. Default: the questions of those. */
  data?: ReproductionData | undefined;
  /** What accuracy is compared on beside those questions, by answer letter or last number. Default: nothing. */
  benchmarks?: ReproductionBenchmarks | undefined;
  /** Keys initial weights, noise and draws: an integer from 0 to 9,007,199,254,740,991. Default: 1. */
  seed?: number | undefined;
  /** Options with which the bases are loaded. Default: those of the recipe. */
  load?: BaseOptions | undefined;
}

/** The bases whose questions are the default data. */
const SHIPPED: readonly string[] = ["tiny-0.7m", "tiny", "tiny-5m"];

export const reproductionFields = fieldsOf<ReproductionOptions>()({
  folder: filledText("a folder's path"),
  bases: list(filledText("a base's name"), "a list of bases, at least one").default(SHIPPED),
  ranks: list(integer(1), "a list of ranks, at least one").default([16, 64]),
  preset: filledText().optional(),
  steps: integer(1).default(3000),
  questions: integer(2).default(200),
  iterations: list(integer(1), "a list of iterations, at least one").default([1, 2, 4, 8, 16, 32, 64]),
  data: reproductionDataFields.optional(),
  benchmarks: reproductionBenchmarksFields.optional(),
  seed: integer(0, Number.MAX_SAFE_INTEGER).default(1),
  load: baseOptions.optional(),
});

/** Options of a reproduction with every default filled in. */
export type CheckedReproduction = Omit<z.output<typeof reproductionFields>, "benchmarks"> & {
  readonly benchmarks: z.output<typeof reproductionBenchmarksFields>;
};

/**
 * @throws LadError `invalid-option`
 */
export function checkReproduction(options: ReproductionOptions): CheckedReproduction {
  const { benchmarks = { easy: [], arithmetic: [] }, ...given } = check(reproductionFields, options);
  for (const name of ["ranks", "iterations"] as const) {
    const values = given[name];
    if (values.some((value, i) => i > 0 && value <= (values[i - 1] ?? 0))) {
      throw invalidOption(name, values, "they must rise", "Give each once, from the lowest to the highest.");
    }
  }
  const stranger = given.bases.find((base) => !SHIPPED.includes(base));
  if (given.data === undefined && stranger !== undefined) {
    const remedy = "Give data: its training, its validation, and the two sets of questions.";
    throw invalidOption(
      "bases",
      stranger,
      "the default data are questions for the shipped bases alone",
      remedy,
    );
  }
  const kinds = Object.values(benchmarks).flatMap((list) => list.map(({ kind }) => kind));
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) < i);
  if (twice !== undefined)
    throw invalidOption("benchmarks", twice, "it stands there twice", "Give each kind of benchmark once.");
  return { ...given, benchmarks };
}
