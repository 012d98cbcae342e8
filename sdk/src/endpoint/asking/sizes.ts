/** How long prompts are, and how long answers may be. */
import { type FrozenBase, finalityOf, type PolicyInput } from "../../index.js";
import type { UsedModel } from "../models.js";
import type { AskedPrompt, Question } from "./question.js";

/** What the base alone writes at most where a client does not say. */
const WRITTEN_TOKENS = 256;
/** What is denoised where neither client nor training say. */
const DENOISED_TOKENS = 64;

/** The token ids of prompts. */
export function promptIds(
  base: FrozenBase,
  prompts: readonly AskedPrompt[],
  signal: AbortSignal,
): Promise<(readonly number[])[]> {
  return Promise.all(
    prompts.map(async (prompt) => {
      if ("ids" in prompt) return prompt.ids;
      if ("text" in prompt) return base.encode(prompt.text, { addSpecial: true, signal });
      return (await base.render(prompt.messages, { signal })).ids;
    }),
  );
}

/**
 * The positions of the answers: what a client takes at most, or what the model was trained for if that is less. A canvas that is longer than
 * those of its training would make a diffusion model no better answers.
 */
export async function answerTokens(
  { maxTokens, extras }: Question,
  policy: PolicyInput,
  prompts: readonly (readonly number[])[],
  { base, adapter, recipe }: UsedModel,
): Promise<number | undefined> {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const room = Math.max(1, base.info.maxPositions - longest);
  if (finalityOf(policy) === "written") return Math.min(maxTokens ?? WRITTEN_TOKENS, room);
  if (maxTokens === undefined) return extras.draft === undefined ? recipe.answerTokens : undefined;
  const claims = adapter?.info.claims;
  const trained =
    claims === undefined || claims.windowTokens === 0 ? DENOISED_TOKENS : claims.windowTokens - longest;
  const drafted = extras.draft === undefined ? 0 : (await base.encode(extras.draft)).length;
  return Math.min(maxTokens, Math.max(recipe.answerTokens ?? trained, drafted, 1));
}
