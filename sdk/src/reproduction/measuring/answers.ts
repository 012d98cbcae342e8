/** Answers to a set of questions, each with all that its measures need. */
import type { Adapter } from "../../adapter.js";
import type { Base } from "../../base.js";
import { scoredTokens } from "../../evaluation/measures/perplexity.js";
import type { Question } from "../../frozen-base.js";
import type { Policy } from "../../method/policy.js";
import type { Answer } from "../../results.js";
import type { Answers } from "../measured.js";
import { type AnswersPiece, autoregressive, type BasePiece } from "../pieces.js";
import { recipeOf } from "../setting.js";
import type { Lab } from "./lab.js";
import type { Computing } from "./training.js";

export async function answer(
  lab: Lab,
  { variant, set, policy }: AnswersPiece,
  { signal }: Computing,
): Promise<Answers> {
  const base = await lab.base(variant.base);
  const adapter = await lab.adapter(variant, signal);
  return answersOf(lab, { base, model: adapter, policy, questions: await lab.questions(base, set), signal });
}

export async function answerByItself(
  lab: Lab,
  { base: name, set }: BasePiece,
  { signal }: Computing,
): Promise<Answers> {
  const base = await lab.base(name);
  const questions = await lab.questions(base, set);
  return answersOf(lab, { base, model: base, policy: autoregressive, questions, signal });
}

interface Asked {
  readonly base: Base;
  readonly model: Adapter | Base;
  readonly policy: Policy;
  readonly questions: readonly Question[];
  readonly signal: AbortSignal;
}

async function answersOf(lab: Lab, { base, model, policy, questions, signal }: Asked): Promise<Answers> {
  const { answerTokens, training } = recipeOf(lab.setting, base.name);
  const whole = model === base ? training.windowTokens : undefined; // an adapter fills the windows of its training
  const canvases = questions.map(({ ids }) => ({ ids }));
  const started = performance.now();
  const sampling = { policy, answerTokens: answerTokens ?? whole, frames: false, signal };
  const answers = await model.sampleMany({ ...sampling, canvases }).result();
  const seconds = (performance.now() - started) / 1000;
  const scores = await scoresOf(base, questions, answers, signal);
  const items = answers.map((each, i) => ({
    right: each.text.trim() === questions[i]?.reference.trim(),
    text: each.text,
    ids: [...each.ids],
    tokens: Math.min(each.ids.length + 1, each.canvasIds.length),
    forwards: each.iterations,
    ...(scores[i] ?? { nats: 0, scored: 0 }),
  }));
  return { seconds, items };
}

/** Of each answer up to and with its end, under the causal base; undefined for an answer without a token before that. */
async function scoresOf(
  base: Base,
  questions: readonly Question[],
  answers: readonly Answer[],
  signal: AbortSignal,
): Promise<({ nats: number; scored: number } | undefined)[]> {
  const scored = answers.map(({ canvasIds }) => scoredTokens(canvasIds, base.info.stopTokenIds));
  const items = scored.flatMap((continuation, i) =>
    continuation === undefined ? [] : [{ ids: questions[i]?.ids ?? [], continuation }],
  );
  const scores = items.length === 0 ? [] : await base.score({ items, signal });
  return scored.map((tokens) => {
    const score = tokens && scores.shift();
    return score && { nats: -score.logLikelihood, scored: score.tokenLogLikelihoods.length };
  });
}
