/** Judges by the choice that a model finds most likely, as lm-eval's multiple choice tasks do. */
import type { FrozenBase } from "../../frozen-base.js";
import type { Model } from "../../model.js";
import type { DenoisingAttention } from "../../options/attention.js";
import type { Likelihood } from "../../options/evaluation/likelihood.js";
import type { CausalScoring, DenoisingScoring } from "../../options/primitives.js";
import type { BenchmarkItem } from "../items.js";
import type { ItemResult, Scorer } from "./scorer.js";

/** Which likelihood, and the attention mode of one that masks; undefined: as the adapter was trained. */
export interface LikelihoodOf {
  readonly likelihood: Likelihood;
  readonly attention?: DenoisingAttention | undefined;
}

/** Scores each choice behind the item's prompt and a space. */
export function likelihoodScorer(model: Model, base: FrozenBase, how: LikelihoodOf): Scorer {
  return {
    configuration: { by: "likelihood", ...how },
    async score(items, signal) {
      const asked = items.flatMap(({ prompt, question }) =>
        question.choices.map((choice) => ({ prompt, continuation: ` ${choice}` })),
      );
      const cut = (await pairs(base, asked, signal)).map((pair) => fitting(pair, base.info.maxPositions));
      const scores = await model.score({
        items: cut.map(({ prompt, continuation }) => ({ ids: prompt, continuation })),
        ...(how as CausalScoring | DenoisingScoring), // where they do not fit, `score` says so
        signal,
      });
      let next = 0;
      return items.map((item) => {
        const own = { from: next, to: next + item.question.choices.length };
        next = own.to;
        const logLikelihoods = scores.slice(own.from, own.to).map(({ logLikelihood }) => logLikelihood);
        const cutTokens = Math.max(...cut.slice(own.from, own.to).map((pair) => pair.cutTokens));
        return { ...judged(item, logLikelihoods), ...(cutTokens > 0 && { cutTokens }) };
      });
    },
  };
}

/** What is scored: its prompt, and what follows. */
interface TextPair {
  readonly prompt: string;
  readonly continuation: string;
}

interface TokenPair {
  readonly prompt: readonly number[];
  readonly continuation: readonly number[];
}

/** Prompt and continuation are encoded as one text, and cut where the prompt by itself ends: lm-eval's rule. */
async function pairs(
  base: FrozenBase,
  asked: readonly TextPair[],
  signal: AbortSignal | undefined,
): Promise<TokenPair[]> {
  const prompts = [...new Set(asked.map(({ prompt }) => prompt))];
  const texts = [...prompts, ...asked.map(({ prompt, continuation }) => prompt + continuation)];
  const ids = await base.encodeAll(texts, { addSpecial: true, signal });
  const byPrompt = new Map(prompts.map((prompt, index) => [prompt, ids[index] ?? []]));
  return asked.map(({ prompt }, index) => {
    const whole = ids[prompts.length + index] ?? [];
    const before = byPrompt.get(prompt) ?? [];
    return { prompt: whole.slice(0, before.length), continuation: whole.slice(before.length) };
  });
}

/** Without the prompt's beginning, as far as the base has no positions for it. */
function fitting({ prompt, continuation }: TokenPair, positions: number) {
  const cutTokens = Math.max(0, prompt.length + continuation.length - positions);
  return { prompt: prompt.slice(cutTokens), continuation, cutTokens };
}

function judged({ id, question }: BenchmarkItem, logLikelihoods: readonly number[]): ItemResult {
  const { choices, right } = question;
  const by = (lengths: readonly number[]) =>
    best(logLikelihoods.map((value, index) => value / (lengths[index] ?? 1))) === right;
  const chosen = best(logLikelihoods);
  return {
    id,
    correct: chosen === right,
    correctByCharacters: by(choices.map((choice) => [...choice].length)),
    correctByBytes: by(choices.map((choice) => Buffer.byteLength(choice))),
    chosen,
    logLikelihoods,
  };
}

/** The number of the largest value; of equal ones, of the first. */
function best(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
