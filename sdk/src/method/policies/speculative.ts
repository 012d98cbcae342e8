/** `speculative`, self-speculation (arXiv 2211.17192; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { integer, number, oneOf } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { invalidOption } from "../../errors.js";
import type { TrainingContext } from "../random-split.js";
import { definePolicy, misplacedInPolicy, type PolicyUse } from "./policy.js";

/** How `speculative` drafts. */
export interface SpeculativeOptions {
  /** Tokens drafted and checked in a round, at most: an integer from 1 to 1,048,576. Default: 32. */
  draftTokens?: number | undefined;
  /**
   * A draft ends where the probability that all of it stands, the product of its tokens' own at temperature 1, is lower than this: a number
   * from 0 to 1. Default: 0, never.
   */
  draftConfidence?: number | undefined;
  /**
   * Where the tokens stand in a draft's forward that are decided already: before the MASKs of its `canvas`, or all but the last in its
   * `past`, the base's cache (with `causal-prefix` attention). Default: `as-trained`, the past of an adapter that was trained with the
   * context `random-split` and is sampled in its attention mode, else the canvas.
   */
  decided?: "as-trained" | "canvas" | "past" | undefined;
  /**
   * What is left of a draft behind a refused token is checked again behind the base's own, until so many of these checks have accepted none
   * of it; then a new draft is made. 0 makes one for each check: an integer from 0 to 1,048,576. Default: 2.
   */
  patience?: number | undefined;
}

/** Self-speculation, complete. */
export interface SpeculativePolicy extends Complete<SpeculativeOptions> {
  /** Names the policy. */
  readonly kind: "speculative";
}

export const speculativeFields = fieldsOf<SpeculativeOptions>()(
  {
    draftTokens: integer(1, 2 ** 20).default(32),
    draftConfidence: number(0, 1).default(0),
    decided: oneOf(["as-trained", "canvas", "past"]).default("as-trained"),
    patience: integer(0, 2 ** 20).default(2),
  },
  misplacedInPolicy,
);

/** Self-speculation: the adapter drafts several tokens at once, the frozen base checks them; the answer is the base's own. */
export function speculative(options: SpeculativeOptions = {}): SpeculativePolicy {
  return { kind: "speculative", ...check(speculativeFields, options) };
}

definePolicy(speculative, {
  kind: "speculative",
  options: speculativeFields,
  drawMethod: "inverse-cdf",
  unused: ["allowMask", "drawMethod", "padTokens"],
  settle: settled,
  check: checkUse,
});

/** Has decided tokens stand where they stood in training, if the base shares a past in this mode. */
function settled(
  policy: SpeculativePolicy,
  trained: TrainingContext | undefined,
  attention: string,
): SpeculativePolicy {
  if (policy.decided !== "as-trained") return policy;
  const inPast = trained === "random-split" && attention === "causal-prefix";
  return { ...policy, decided: inPast ? "past" : "canvas" };
}

function checkUse({ decided }: SpeculativePolicy, { adapted, attention }: PolicyUse): void {
  if (!adapted) {
    throw invalidOption(
      "policy",
      "speculative",
      "the base alone has no adapter to draft with",
      "Call it on an adapter, or give policy: ar().",
    );
  }
  if (decided === "past" && attention !== undefined && attention !== "causal-prefix") {
    throw invalidOption(
      "policy.decided",
      decided,
      `in ${attention} attention no past is shared with the base`,
      'Give attention: "causal-prefix", or decided: "canvas".',
    );
  }
}
