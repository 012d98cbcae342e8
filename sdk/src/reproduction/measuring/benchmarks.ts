/** A benchmark's questions, asked of a variant and of its base. */
import { runBenchmark } from "../../benchmarks/run-benchmark.js";
import type { Benchmarked } from "../measured.js";
import { type BenchmarkPiece, comparedPolicy } from "../pieces.js";
import { recipeOf } from "../setting.js";
import type { Lab } from "./lab.js";
import type { Computing } from "./training.js";

/** The answers are written, as the paper has them: judged by their letter where there are choices, by their last number or text where not. */
export async function benchmark(
  lab: Lab,
  { variant, benchmark }: BenchmarkPiece,
  { signal }: Computing,
): Promise<Benchmarked> {
  const adapter = await lab.adapter(variant, signal);
  const by = benchmark.by.find((each) => each !== "likelihood") ?? "likelihood";
  const sampling = {
    policy: comparedPolicy(lab.setting, variant),
    answerTokens: recipeOf(lab.setting, variant.base).answerTokens,
  };
  const { models, autoregressive } = await runBenchmark({
    benchmark,
    by,
    models: { adapter },
    folder: lab.benchmarkFolderOf(variant, benchmark.kind),
    ...(by === "likelihood" ? {} : sampling),
    signal,
  });
  const rightOf = ({ items }: typeof autoregressive) => items.map(({ correct }) => correct);
  return { adapted: rightOf(models.adapter), itself: rightOf(autoregressive), by };
}
