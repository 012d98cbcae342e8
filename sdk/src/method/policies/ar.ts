/** `ar`, the causal base by itself (docs/method.md §6). */
import { fields } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import { definePolicy, misplacedInPolicy } from "./policy.js";

/** Autoregression. */
export interface ArPolicy {
  /** Names the policy. */
  readonly kind: "ar";
}

/** The causal base by itself: one token after another, by a cache of keys and values. */
export function ar(): ArPolicy {
  return { kind: "ar" };
}

definePolicy(ar, {
  kind: "ar",
  options: fields({}, misplacedInPolicy),
  drawMethod: "inverse-cdf",
  unused: ["attention", "canvasTokens", "allowMask", "padTokens"],
  check(_, { adapted }) {
    if (!adapted) return;
    throw invalidOption(
      "policy",
      "ar",
      "the autoregressive baseline runs without an adapter",
      "Call it on the base: base.sample({ policy: ar(), … }).",
    );
  },
});
