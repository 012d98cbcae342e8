/** The losses of a variant's validation examples, under noise that is the same for every variant. */
import { fixed, lad } from "../../method/noises/registered.js";
import type { ValidationResult } from "../../model.js";
import type { ExampleLosses, Losses } from "../measured.js";
import type { LossesPiece } from "../pieces.js";
import { recipeOf } from "../setting.js";
import type { Lab } from "./lab.js";
import type { Computing } from "./training.js";

/** The shares of an answer that are masked. */
const MASKED_SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 1];

export async function losses(lab: Lab, { variant }: LossesPiece, { signal }: Computing): Promise<Losses> {
  const adapter = await lab.adapter(variant, signal);
  const { windowTokens, maxPromptTokens = 0 } = recipeOf(lab.setting, variant.base).training;
  const asked = {
    windowTokens,
    maxPromptTokens,
    data: lab.data.validation,
    loss: { supervise: "corrupted-answer-tokens" },
    perExample: true,
    signal,
  } as const;
  const masked: Losses["masked"][number][] = [];
  for (const share of MASKED_SHARES) {
    const validated = await adapter.validate({ ...asked, noise: fixed({ masked: share }) });
    masked.push({ share, ...listed(validated) });
  }
  return { lad: listed(await adapter.validate({ ...asked, noise: lad() })), masked };
}

/** Every example's sums, those without a corrupted token too, so that the lists of two variants are of the same examples. */
function listed({ examples }: ValidationResult): ExampleLosses {
  return { nats: examples.map(({ nats }) => nats), tokens: examples.map(({ tokens }) => tokens) };
}
