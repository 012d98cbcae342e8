/** Which tokens are supervised and with what weight (docs/method.md §4), and which of these go together with what else. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import { flag, integer, oneOf, share } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import {
  type LossOptions,
  type LossSpec,
  type SoftOptions,
  SUPERVISIONS,
  type Supervise,
  type Supervision,
  softNeedsWorker,
  WEIGHTINGS,
  type Weight,
  type Weighting,
} from "../method/loss-targets.js";
import { NOISE_KINDS, type Noise, noiseDefinition } from "../method/noise.js";
import { noises } from "../method/noises/registered.js";
import type { DenoisingAttention } from "./attention.js";
import type { CustomNoise } from "./noise.js";

const SUPERVISE = namesOf<Supervise>(SUPERVISIONS);

/** Which tokens are supervised, by name or with its options. */
export type LossInput = Supervise | LossOptions;

export const softFields = fieldsOf<SoftOptions>()({
  topK: integer(1, 1024).default(32),
  share: share().default(1),
});

export const lossFields = fieldsOf<LossOptions>()({
  supervise: oneOf(SUPERVISE).default("all-tokens"),
  tail: flag().default(true),
  tailWeight: share().default(1),
  weighting: oneOf(namesOf<Weighting>(WEIGHTINGS)).default("uniform"),
  soft: softFields.optional(),
});

export const lossSchema: z.ZodType<LossSpec, LossInput> = z.union(
  [oneOf(SUPERVISE).transform((supervise) => check(lossFields, { supervise })), lossFields],
  { error: `one of ${SUPERVISE.join(", ")}, or an object` },
);

/**
 * Weights that belong to corrupted tokens need those, and a noise that draws a t; of a custom one nobody knows. The base's targets
 * need a noise that the worker draws.
 */
export function checkLossFits({ weighting, supervise, soft }: LossSpec, noise: Noise | CustomNoise): void {
  if (soft !== undefined && noise.kind === "custom") throw softNeedsWorker(soft);
  const weight: Weight = WEIGHTINGS[weighting];
  if (!weight.corrupted) return;
  if (noise.kind !== "custom" && !noiseDefinition(noise.kind).hasTime) {
    const timed = NOISE_KINDS.filter((kind) => noiseDefinition(kind).hasTime);
    throw invalidOption(
      "loss.weighting",
      weighting,
      `${noise.kind} noise has no time t to weight by`,
      `Use ${either(timed.map((kind) => `${noises[kind].name}()`))} noise, or the weighting uniform.`,
    );
  }
  if (!SUPERVISIONS[supervise].corrupted) {
    throw invalidOption(
      "loss.weighting",
      weighting,
      `1/t weights belong to corrupted tokens, and loss.supervise is ${supervise}`,
      `Set loss.supervise to ${either(supervisionsWhere(({ corrupted }) => corrupted))}, or the weighting to uniform.`,
    );
  }
}

/** In `causal-prefix` attention nothing of the adapter computes the prompt. */
export function checkSupervises({ supervise }: LossSpec, attention: DenoisingAttention): void {
  if (attention !== "causal-prefix" || !SUPERVISIONS[supervise].prompt) return;
  throw invalidOption(
    "loss.supervise",
    supervise,
    "in causal-prefix attention the prompt runs through the unadapted base, which learns nothing",
    `Set loss.supervise to ${either(supervisionsWhere(({ prompt }) => !prompt))}.`,
  );
}

/** Options of the tail that have no effect, as they were given. */
export function warnOfTail(given: LossInput | undefined, padToWindow: boolean, warn: Warn): void {
  if (typeof given !== "object") return;
  for (const key of ["tail", "tailWeight"] as const) {
    if (padToWindow || given[key] === undefined) continue;
    warn(`loss.${key} is ignored: without padToWindow there is no tail.`);
  }
  if (padToWindow && given.tail === false && given.tailWeight !== undefined) {
    warn("loss.tailWeight is ignored: loss.tail is false, and the tail is not supervised.");
  }
}

function supervisionsWhere(isWanted: (supervision: Supervision) => boolean): Supervise[] {
  return SUPERVISE.filter((name) => isWanted(SUPERVISIONS[name]));
}

function either(words: readonly string[]): string {
  return words.join(" or ");
}

function namesOf<Name extends string>(registered: Readonly<Record<Name, unknown>>): [Name, ...Name[]] {
  return Object.keys(registered) as [Name, ...Name[]];
}
