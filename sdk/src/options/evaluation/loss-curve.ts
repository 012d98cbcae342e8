import { check } from "../../checks/check.js";
import { flag, list, oneOf, share } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { type DenoisingAttention, denoisingAttention } from "../attention.js";
import { type ValidateOptions, validateFields } from "../training.js";
import { type BootstrapOptions, bootstrapFields } from "./bootstrap.js";

/** One kind of corruption: MASK, swapped neighbours, copies of a neighbour, a span copied elsewhere. */
export type CorruptionKind = "masked" | "swapped" | "duplicated" | "shifted";

const KINDS = ["masked", "swapped", "duplicated", "shifted"] as const;

/** Options of `lossCurve`. */
export interface LossCurveOptions
  extends Omit<ValidateOptions, "noise" | "loss" | "attention" | "context" | "canvasTokens"> {
  /** The kinds of corruption, each alone. Default: `masked`, `swapped`, `duplicated`, `shifted`. */
  kinds?: readonly CorruptionKind[] | undefined;
  /**
   * Levels of each kind: the share of the answer that is masked, or the probability that neighbours are swapped, that a token copies its
   * neighbour, that a span is copied; each a number above 0 and at most 1. Default: 0.1, 0.3, 0.5, 0.7, 0.9 and 1.
   */
  levels?: readonly number[] | undefined;
  /** Whether the EOS tail is corrupted as the answer is. Its own losses do not count. Default: true. */
  tailNoise?: boolean | undefined;
  /** How the prompt attends, as in training. Default: as the adapter was trained, if it is known (`adapter.info.claims`), else `full`. */
  attention?: DenoisingAttention | undefined;
  /** How the intervals are drawn. Default: as `bootstrap` does. */
  bootstrap?: BootstrapOptions | undefined;
}

const {
  noise: _,
  loss: __,
  attention: ___,
  context: ____,
  canvasTokens: _____,
  ...validating
} = validateFields.shape;

export const lossCurveFields = fieldsOf<LossCurveOptions>()({
  ...validating,
  kinds: list(oneOf(KINDS), `a list of ${KINDS.join(", ")}, at least one`).default([...KINDS]),
  levels: list(share(), "a list of levels, at least one").optional(),
  tailNoise: flag().default(true),
  attention: denoisingAttention.optional(),
  bootstrap: bootstrapFields.optional(),
});
export type CheckedLossCurve = ReturnType<typeof checkLossCurve>;

const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9, 1];

/** @throws LadError `invalid-option` */
export function checkLossCurve(options: LossCurveOptions) {
  const { levels = LEVELS, ...given } = check(lossCurveFields, options);
  return { ...given, levels };
}
