/** All policies: builders, options, complete values, and steps for a user's own loops. */
import { ar } from "./ar.js";
import { llada } from "./llada.js";
import { refine } from "./refine.js";
import { remask } from "./remask.js";
import { speculative } from "./speculative.js";

export type { ArPolicy } from "./ar.js";
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
export type { SpeculativeOptions, SpeculativePolicy } from "./speculative.js";
export { ar, llada, refine, remask, speculative };

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
} as const;
