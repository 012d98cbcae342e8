/** Answers questions and measures the answers (docs/method.md §7). */
import type { Client } from "../client.js";
import { promptIds } from "../data/text.js";
import { TimeLimit } from "../grpc/time-limit.js";
import type { CheckedEvaluation } from "../options/evaluation.js";
import { type SampledModel, SamplingRun } from "../runs/sampling.js";
import type { Answer } from "../wire.js";
import { judgedByBase, judgedByOther } from "./judging.js";
import { tokensOf } from "./measures/forwards.js";
import type { Answered } from "./measures/measure.js";
import { type Measured, measured, needLikelihoods } from "./measures/measures.js";
import { questionKeys, questionSeeds } from "./questions.js";

/** What the answers to a set of questions are worth. */
export interface Evaluation extends Measured {
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
  /** Each answer with all that it was measured by, in the same order: what `compareEvaluations` compares. */
  readonly items: readonly Answered[];
  /** The causal model that judged: the base with its adapters off, or the one that was asked for. */
  readonly perplexityModel: string;
  /** Of sampling alone. */
  readonly seconds: number;
  /** Tokens of the answers, each with its first stop token, over those seconds. */
  readonly tokensPerSecond: number;
}

/** The time limit is of all that the evaluation asks of the worker. */
export async function evaluateModel(
  client: Client,
  model: SampledModel,
  given: CheckedEvaluation,
): Promise<Evaluation> {
  if (given.timeoutMs === undefined) return evaluated(client, model, given);
  const limit = new TimeLimit(given.timeoutMs).signal("The evaluation");
  const signal = AbortSignal.any([limit.signal, ...(given.signal === undefined ? [] : [given.signal])]);
  const { sampling } = given;
  try {
    const limited = { ...sampling, spec: { ...sampling.spec, signal } };
    return await evaluated(client, model, { ...given, sampling: limited, signal });
  } finally {
    limit.release();
  }
}

async function evaluated(
  client: Client,
  model: SampledModel,
  { sampling, references, seed, perplexityUnder, bootstrap, onProgress, signal }: CheckedEvaluation,
): Promise<Evaluation> {
  const { base } = model;
  const prompts = await Promise.all(
    sampling.canvases.map((canvas) => promptIds(client, base.id, canvas, signal)),
  );
  const seeds = questionSeeds(seed, prompts, references);
  const canvases = sampling.canvases.map((canvas, i) => ({
    messages: undefined,
    ids: [...(prompts[i] ?? [])],
    allowSpecial: false,
    seed: canvas.seed ?? seeds[i],
  }));
  const started = performance.now();
  const run = new SamplingRun(client, model, { ...sampling, canvases }, noChoice);
  let done = 0;
  for await (const { type } of run) {
    if (type === "answer") onProgress?.({ done: ++done, total: canvases.length });
  }
  const answers = await run.result();
  const seconds = (performance.now() - started) / 1000;
  const questions = sampling.canvases.map((given, i) => ({ given, ids: prompts[i] ?? [] }));
  const judge = perplexityUnder?.info.id === base.id ? undefined : perplexityUnder;
  const judged = judge
    ? judgedByOther(client, base, judge, questions, answers, signal)
    : judgedByBase(client, base, questions, answers, signal);
  const scores = needLikelihoods() ? await judged : [];
  const keys = questionKeys(sampling.canvases, references);
  const items = answers.map((answer, i) => ({
    key: keys[i] ?? "",
    answer,
    reference: references[i],
    scores: scores[i],
  }));
  const tokens = answers.reduce((sum, answer) => sum + tokensOf(answer), 0);
  return {
    answers,
    items,
    ...measured(items, bootstrap),
    perplexityModel: (judge?.info ?? base).name,
    seconds,
    tokensPerSecond: tokens / seconds,
  };
}

/** Questions have no gaps, of which one length would have to be chosen. */
const noChoice = () => Promise.resolve([]);
