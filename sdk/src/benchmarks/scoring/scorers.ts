/** Which scorer a model has: by likelihood, or by what it writes. */
import type { FrozenBase } from "../../frozen-base.js";
import { ar } from "../../method/policies/registered.js";
import { causal } from "../../options/evaluation/likelihood.js";
import type { CheckedRunBenchmark, RunSampling } from "../options.js";
import { likelihoodScorer } from "./likelihood.js";
import type { ScoredModel, Scorer } from "./scorer.js";
import { writtenScorer } from "./written.js";

/** What is asked, and whether it is asked of the base that all others are compared with. */
type Asked = Pick<CheckedRunBenchmark, "by" | "base" | "likelihood" | "sampling"> & {
  readonly isReference: boolean;
};

export function scorerOf(model: ScoredModel, { by, base, likelihood, sampling, isReference }: Asked): Scorer {
  if (by === "likelihood") {
    const how = isReference ? { likelihood: causal() } : { likelihood, attention: sampling.asked.attention };
    return likelihoodScorer(model, base, how);
  }
  return writtenScorer(model, base, by, isReference ? autoregressive(sampling, by, base) : sampling);
}

/** Steps of arithmetic are longer than an answer by letter. */
const NUMBER_ANSWER_TOKENS = 256;

/** The same draws without an adapter, one token after another. */
function autoregressive(
  { asked, complete, seed }: RunSampling,
  by: CheckedRunBenchmark["by"],
  base: FrozenBase,
): RunSampling {
  const { attention: _, canvasTokens: __, allowMask: ___, ...draws } = asked;
  const { attention: ____, canvasTokens: _____, allowMask: ______, ...all } = complete;
  const most = Math.min(NUMBER_ANSWER_TOKENS, Math.floor(base.info.maxPositions / 2));
  const answerTokens = asked.answerTokens ?? (by === "number" ? most : undefined);
  const policy = ar();
  return { asked: { ...draws, policy, answerTokens }, complete: { ...all, policy, answerTokens }, seed };
}
