/** Answers questions and measures the answers (docs/method.md §7). */
import type { Client } from "../client.js";
import { renderChat } from "../data/text.js";
import {
  type Accuracy,
  distinctN,
  exactMatch,
  type Perplexity,
  perplexity,
  repeatedNgramShare,
  scoredTokens,
} from "../method/metrics.js";
import type { CheckedEvaluation } from "../options/evaluation.js";
import { SamplingRun, type SamplingTarget } from "../runs/sampling.js";
import type { Answer, BaseInfo } from "../wire.js";
import { scoreItems } from "./scoring.js";

/** What the answers to a set of questions are worth. */
export interface Evaluation {
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
  /** Of the answers that have a reference; undefined where none has. */
  readonly exactMatch: Accuracy | undefined;
  /** Of the answers given their prompts, under the model that `perplexityModel` names. */
  readonly perplexity: Perplexity;
  /** The causal model that judged: the base with its adapters off. */
  readonly perplexityModel: string;
  /** Unique bigrams / bigrams, over all answers. */
  readonly distinct2: number;
  /** The share of trigrams that stood in the same answer before. */
  readonly repeated3: number;
  /** Of sampling alone. */
  readonly seconds: number;
}

export async function evaluateModel(
  client: Client,
  target: SamplingTarget,
  base: BaseInfo,
  { sampling, references, signal }: CheckedEvaluation,
): Promise<Evaluation> {
  const prompts = await Promise.all(
    sampling.canvases.map(
      async ({ ids, messages = [], allowSpecial }) =>
        ids ?? (await renderChat(client, base.id, messages, { allowSpecial, signal })).ids,
    ),
  );
  const canvases = sampling.canvases.map(({ seed }, i) => ({
    messages: undefined,
    ids: [...(prompts[i] ?? [])],
    allowSpecial: false,
    seed,
  }));
  const started = performance.now();
  const answers = await new SamplingRun(client, target, { ...sampling, canvases }).result();
  const seconds = (performance.now() - started) / 1000;
  const scored = answers.map(({ canvasIds }) => scoredTokens(canvasIds, base.stopTokenIds));
  const items = scored.flatMap((continuation, i) =>
    continuation === undefined ? [] : [{ prompt: prompts[i] ?? [], continuation }],
  );
  const scores = await scoreItems(client, { baseId: base.id, adapterId: "" }, items, "causal", signal);
  const known = references.flatMap((reference, i) =>
    reference === undefined ? [] : [{ reference, text: answers[i]?.text ?? "" }],
  );
  const ids = answers.map((answer) => answer.ids);
  return {
    answers,
    exactMatch:
      known.length === 0
        ? undefined
        : exactMatch(
            known.map(({ text }) => text),
            known.map(({ reference }) => reference),
          ),
    perplexity: perplexity(scored.map((tokens) => (tokens === undefined ? undefined : scores.shift()))),
    perplexityModel: base.name,
    distinct2: distinctN(ids, 2),
    repeated3: repeatedNgramShare(ids, 3),
    seconds,
  };
}
