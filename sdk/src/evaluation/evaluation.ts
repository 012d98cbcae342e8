/** Answers questions and measures the answers (docs/method.md §7). */
import type { Client } from "../client.js";
import { promptIds } from "../data/text.js";
import type { CheckedEvaluation } from "../options/evaluation.js";
import { type SampledModel, SamplingRun } from "../runs/sampling.js";
import type { Answer, BaseInfo } from "../wire.js";
import type { TokenScores } from "./measures/measure.js";
import { type Measured, measured, needLikelihoods } from "./measures/measures.js";
import { scoredTokens } from "./measures/perplexity.js";
import { scoreItems } from "./scoring.js";

/** What the answers to a set of questions are worth. */
export interface Evaluation extends Measured {
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
  /** The causal model that judged: the base with its adapters off. */
  readonly perplexityModel: string;
  /** Of sampling alone. */
  readonly seconds: number;
}

export async function evaluateModel(
  client: Client,
  model: SampledModel,
  { sampling, references, signal }: CheckedEvaluation,
): Promise<Evaluation> {
  const { base } = model;
  const prompts = await Promise.all(
    sampling.canvases.map((canvas) => promptIds(client, base.id, canvas, signal)),
  );
  const canvases = sampling.canvases.map(({ seed }, i) => ({
    messages: undefined,
    ids: [...(prompts[i] ?? [])],
    allowSpecial: false,
    seed,
  }));
  const started = performance.now();
  const answers = await new SamplingRun(client, model, { ...sampling, canvases }, noChoice).result();
  const seconds = (performance.now() - started) / 1000;
  const scores = needLikelihoods() ? await scoreAnswers(client, base, prompts, answers, signal) : [];
  const answered = answers.map((answer, i) => ({
    answer,
    reference: references[i],
    scores: scores[i],
  }));
  return { answers, ...measured(answered), perplexityModel: base.name, seconds };
}

/** Questions have no gaps, of which one length would have to be chosen. */
const noChoice = () => Promise.resolve([]);

/** Of each answer's tokens under the causal base; undefined for an answer without a token before its end. */
async function scoreAnswers(
  client: Client,
  base: BaseInfo,
  prompts: readonly (readonly number[])[],
  answers: readonly Answer[],
  signal: AbortSignal | undefined,
): Promise<(TokenScores | undefined)[]> {
  const scored = answers.map(({ canvasIds }) => scoredTokens(canvasIds, base.stopTokenIds));
  const items = scored.flatMap((continuation, i) =>
    continuation === undefined ? [] : [{ prompt: prompts[i] ?? [], continuation }],
  );
  const scores = await scoreItems(client, { baseId: base.id, adapterId: "" }, items, "causal", signal);
  return scored.map((tokens) => (tokens === undefined ? undefined : scores.shift()));
}
