/** Answers to a set of questions, each with all that its measures need. */
import type { Adapter } from "../../adapter.js";
import type { Base } from "../../base.js";
import { tokensOf } from "../../evaluation/measures/forwards.js";
import type { Answered } from "../../evaluation/measures/measure.js";
import type { Question } from "../../frozen-base.js";
import type { Policy } from "../../method/policy.js";
import type { AnswerItem, Answers } from "../measured.js";
import { type AnswersPiece, autoregressive, type BasePiece } from "../pieces.js";
import { recipeOf } from "../setting.js";
import { sum } from "../sum.js";
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
  const asked = { items: questions, policy, answerTokens: answerTokens ?? whole, signal };
  const { items, seconds } = await model.evaluate(asked);
  return { seconds, items: items.map(itemOf) };
}

function itemOf({ answer, reference, scores }: Answered): AnswerItem {
  const logLikelihoods = Array.from(scores?.tokenLogLikelihoods ?? []);
  return {
    right: answer.text.trim() === reference?.trim(),
    text: answer.text,
    ids: [...answer.ids],
    tokens: tokensOf(answer),
    forwards: answer.iterations,
    nats: sum(logLikelihoods, (each) => -each),
    scored: logLikelihoods.length,
  };
}
