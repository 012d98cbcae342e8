/** How prompts are given to the worker, and how long answers may be. */
import {
  type CanvasStart,
  type FrozenBase,
  finalityOf,
  type PolicyInput,
  type SampleManyOptions,
} from "../../index.js";
import type { UsedModel } from "../models.js";
import type { AskedPrompt, Question } from "./question.js";

/** What the base alone writes at most where a client does not say. */
const WRITTEN_TOKENS = 256;
/** What is denoised where neither client nor training say. */
const DENOISED_TOKENS = 64;

/** A prompt as a canvas has it. */
export type CanvasPrompt = Pick<CanvasStart, "ids" | "messages">;

/** What bounds the lengths of answers. */
export type AnswerBounds = Pick<SampleManyOptions, "answerTokens" | "totalTokens">;

/** Prompts for the worker, which renders chats as it starts a run; here only where their tokens are needed for more than that. */
export function canvasPrompts(
  base: FrozenBase,
  { prompts, logprobs, extras }: Question,
  signal: AbortSignal,
): Promise<CanvasPrompt[]> {
  const needsIds = logprobs || extras.draft !== undefined;
  return Promise.all(prompts.map((prompt) => canvasPrompt(base, prompt, needsIds, signal)));
}

async function canvasPrompt(
  base: FrozenBase,
  prompt: AskedPrompt,
  needsIds: boolean,
  signal: AbortSignal,
): Promise<CanvasPrompt> {
  if ("ids" in prompt) return { ids: prompt.ids };
  if ("text" in prompt) return { ids: await base.encode(prompt.text, { addSpecial: true, signal }) };
  return needsIds ? { ids: (await base.render(prompt.messages, { signal })).ids } : prompt;
}

/**
 * The positions of the answers: what a client takes at most, or what the model was trained for if that is less. A canvas that is longer than
 * those of its training would make a diffusion model no better answers.
 */
export async function answerBounds(
  { maxTokens, extras }: Question,
  policy: PolicyInput,
  prompts: readonly CanvasPrompt[],
  used: UsedModel,
): Promise<AnswerBounds> {
  const { base, adapter, recipe } = used;
  if (finalityOf(policy) === "written") {
    return { answerTokens: maxTokens ?? WRITTEN_TOKENS, totalTokens: base.info.maxPositions };
  }
  if (extras.draft !== undefined) return draftedBounds(extras.draft, maxTokens, prompts, used);
  if (maxTokens === undefined) return { answerTokens: recipe.answerTokens };
  const windowTokens = adapter?.info.claims?.windowTokens ?? 0;
  if (recipe.answerTokens === undefined && windowTokens > 0) {
    return { answerTokens: maxTokens, totalTokens: windowTokens };
  }
  return { answerTokens: Math.min(maxTokens, recipe.answerTokens ?? DENOISED_TOKENS) };
}

/** As long as the draft, where the model was trained for less. */
async function draftedBounds(
  draft: string,
  maxTokens: number | undefined,
  prompts: readonly CanvasPrompt[],
  { base, adapter, recipe }: UsedModel,
): Promise<AnswerBounds> {
  if (maxTokens === undefined) return {};
  const windowTokens = adapter?.info.claims?.windowTokens ?? 0;
  const longest = Math.max(...prompts.map(({ ids = [] }) => ids.length));
  const trained = recipe.answerTokens ?? (windowTokens > 0 ? windowTokens - longest : DENOISED_TOKENS);
  const drafted = (await base.encode(draft)).length;
  return { answerTokens: Math.min(maxTokens, Math.max(trained, drafted, 1)) };
}
