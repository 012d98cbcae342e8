/** All policies: builders, options, complete values, and steps for a user's own loops. */
import { ar } from "./ar.js";
import { editing } from "./editing.js";
import { entropyBound } from "./entropy-bound.js";
import { llada } from "./llada.js";
import { refine } from "./refine.js";
import { remask } from "./remask.js";
import { revoking } from "./revoking.js";
import { speculative } from "./speculative.js";
import { threshold } from "./threshold.js";

export type { ArPolicy } from "./ar.js";
export { type EditingOptions, type EditingPolicy, editingStep } from "./editing.js";
export {
  annealedTemperature,
  type EntropyBoundOptions,
  type EntropyBoundPolicy,
  entropyBoundStep,
} from "./entropy-bound.js";
export {
  type BudgetStep,
  type LladaOptions,
  type LladaPolicy,
  lladaBudget,
  lladaStep,
} from "./llada.js";
export type { SettlingOptions } from "./policy.js";
export { type RefineOptions, type RefinePolicy, refineStep } from "./refine.js";
export {
  chooseRemasked,
  type RemaskOptions,
  type RemaskPolicy,
  type RemaskSchedule,
  remaskShare,
  remaskStep,
  shareCount,
} from "./remask.js";
export { type RevokingOptions, type RevokingPolicy, revokingStep } from "./revoking.js";
export type { SpeculativeOptions, SpeculativePolicy } from "./speculative.js";
export { type ThresholdOptions, type ThresholdPolicy, thresholdStep } from "./threshold.js";
export { ar, editing, entropyBound, llada, refine, remask, revoking, speculative, threshold };

/** The builders of all policies, by the policies' names. */
export const policies = {
  /** Scheduled denoising with re-masking. */
  remask,
  /** The sampled answer is the next input. */
  refine,
  /** The most confident masks are committed, so many a step. */
  llada,
  /** The causal base by itself, one token after another. */
  ar,
  /** The base's own answer, drafted by the adapter. */
  speculative,
  /** All masks that the model is sure enough of are committed. */
  threshold,
  /** Masks are filled, and visible tokens replaced, where the model is sure enough. */
  editing,
  /** Masks are filled early, and tokens that turn out improbable are masked again. */
  revoking,
  /** As many tokens stand as are nearly independent of one another. */
  "entropy-bound": entropyBound,
} as const;
