/** `own-draft`: what the model itself writes from another noise, as it meets its own answer when it iterates (arXiv 2605.09603). */
import { check } from "../../checks/check.js";
import { atLeast, probability } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { kindSchema } from "../../checks/kind-schema.js";
import type { OptionsByKind } from "../kinds.js";
import { defineNoise, definitionOf } from "./drawing.js";
import { type DrawnNoise, type DrawnNoiseInput, type DrawnNoiseKind, drawnNoises } from "./drawn.js";

/** How much of what is shown the model writes itself, and from what. */
export interface OwnDraftOptions {
  /** Part of the examples that the model itself drafts; the others are shown as `noise` makes them: a number from 0 to 1. Default: 0.5. */
  share?: number | undefined;
  /** Temperature of the draft's draws; 0 takes the most probable tokens: a finite number of at least 0. Default: 1. */
  temperature?: number | undefined;
  /** What the model drafts from, and what a validation shows. Default: `lad`. */
  noise?: DrawnNoiseInput | undefined;
  /**
   * Part of a run's steps that are taken before the first draft; until then the examples are shown as `noise` makes them: a number
   * from 0 to 1. Outside of a run it is 0. Default: 0.
   */
  after?: number | undefined;
}

/** Noise that the model itself writes, complete. */
export interface OwnDraft extends Complete<Omit<OwnDraftOptions, "noise">> {
  /** Names the noise. */
  readonly kind: "own-draft";
  /** What the model drafts from, and what a validation shows. */
  readonly noise: DrawnNoise;
}

const drawnNoise = kindSchema<DrawnNoiseKind, DrawnNoise, OptionsByKind<typeof drawnNoises>>(
  drawnNoises,
  (kind) => definitionOf(drawnNoises[kind]).options,
);

export const ownDraftFields = fieldsOf<OwnDraftOptions>()({
  share: probability().default(0.5),
  temperature: atLeast(0).default(1),
  noise: drawnNoise.default(() => drawnNoises.lad()),
  after: probability().default(0),
});

/**
 * A share of the examples is shown as the model itself writes it in one forward from another noise, by its weights before the step: what
 * it meets when it iterates. It takes a forward without gradient for each of them.
 */
export function ownDraft(options: OwnDraftOptions = {}): OwnDraft {
  return { kind: "own-draft", ...check(ownDraftFields, options) };
}

defineNoise(ownDraft, {
  kind: "own-draft",
  options: ownDraftFields,
  hasTime: false, // a draft differs from the clean answer where the model errs, not with probability t
  noisesTail: ({ noise }) => drawnDefinition(noise).noisesTail(noise),
  drafting: ({ share, temperature, after }) => ({ share, temperature, after }),
  corrupt: (cells, { noise }, drawing) => drawnDefinition(noise).corrupt(cells, noise, drawing),
});

function drawnDefinition({ kind }: DrawnNoise) {
  return definitionOf(drawnNoises[kind]);
}
